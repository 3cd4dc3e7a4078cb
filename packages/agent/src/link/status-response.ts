/**
 * Errors of ours as Kubernetes `Status` objects, which kubectl prints well.
 * @module
 */
import type { ServerResponse } from 'node:http'
import { SallyportError, toKubernetesStatus } from '@sallyport/protocol'

const reasonPhrases: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  413: 'Content Too Large',
  417: 'Expectation Failed',
  431: 'Request Header Fields Too Large',
}

/**
 * Headers and body of a Status answer. kubectl reads its first request, discovery, without decoding a Status and shows
 * the body only when it is text (client-go rest.Result.Raw): there the message goes out as plain text.
 */
function render(
  error: SallyportError,
  status: number,
  accept = '',
): { headers: string[]; body: Buffer } {
  const isDiscovery = accept.includes('as=APIGroupDiscoveryList')
  const answer: Record<string, unknown> = { ...toKubernetesStatus(error), code: status }
  const text = isDiscovery ? String(answer['message']) : JSON.stringify(answer)
  const body = Buffer.from(`${text}\n`)
  const type = isDiscovery ? 'text/plain; charset=utf-8' : 'application/json'
  const headers = ['Content-Type', type, 'Content-Length', `${body.length}`]
  headers.push('Cache-Control', 'no-cache, private', 'X-Content-Type-Options', 'nosniff')
  if (error.requestId !== undefined) headers.push('Audit-Id', error.requestId)
  if (error.retryAfterSeconds !== undefined)
    headers.push('Retry-After', `${error.retryAfterSeconds}`)
  return { headers, body }
}

/** Answers with a Status; `status` overrides the one of the code. Closes the connection when `close` is set. */
export function sendStatus(
  response: ServerResponse,
  error: SallyportError,
  options: { status?: number; close?: boolean } = {},
): void {
  if (response.headersSent || response.destroyed) {
    response.destroy()
    return
  }
  const status = options.status ?? error.entry.status
  const { headers, body } = render(error, status, response.req.headers.accept)
  if (options.close === true) response.shouldKeepAlive = false
  response.writeHead(status, headers)
  response.end(body)
}

/** The same as bytes, for a connection whose request could not be parsed (node:http `clientError`). */
export function statusBytes(error: SallyportError, status: number): Buffer {
  const { headers, body } = render(error, status)
  let head = `HTTP/1.1 ${status} ${reasonPhrases[status] ?? 'Error'}\r\nConnection: close\r\n`
  for (let index = 0; index < headers.length; index += 2)
    head += `${headers[index] ?? ''}: ${headers[index + 1] ?? ''}\r\n`
  return Buffer.concat([Buffer.from(`${head}\r\n`, 'latin1'), body])
}
