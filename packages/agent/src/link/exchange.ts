/**
 * One request and answer: checks the head, sends it to the API server, streams both bodies with back-pressure.
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isSallyportError, limits, SallyportError } from '@sallyport/protocol'
import type { UpstreamRequest } from '../upstream/client.ts'
import { RequestBody } from './request-body.ts'
import { cleanRequestHead, hasTooManyHeaders, type RequestHead } from './request-head.ts'
import { ResponseRelay } from './response-relay.ts'
import { isLongRunning, targetProblem } from './raw-target.ts'
import { sendStatus } from './status-response.ts'
import type { StreamSession } from './stream-session.ts'

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** A refusal with the HTTP status it is told with. */
export interface Refusal {
  error: SallyportError
  status: number
}

function refusal(what: string, status: number): Refusal {
  return { error: new SallyportError('ERR_REQUEST_INVALID', what), status }
}

/** Checks method, target and headers of a request; the cleaned head, or why it is refused. */
export function checkRequest(request: IncomingMessage): RequestHead | Refusal {
  // llhttp takes a line without version for HTTP/0.9.
  if (request.httpVersionMajor !== 1) return refusal('the version is not HTTP/1.1', 400)
  if (!methods.has(request.method ?? '')) return refusal('the method is not allowed', 405)
  if (hasTooManyHeaders(request.rawHeaders))
    return refusal(`the request has more than ${limits.agentMaxHeaders} headers`, 431)
  const problem = targetProblem(request.url ?? '')
  if (problem !== undefined) return refusal(problem, 400)
  try {
    const head = cleanRequestHead(request.rawHeaders)
    // node:http demands Host itself, but not of upgrades.
    if (!head.hasHost && request.httpVersionMinor > 0) return refusal('there is no Host', 400)
    return head
  } catch (error) {
    if (isSallyportError(error)) return { error, status: error.entry.status }
    throw error
  }
}

/** Whether a checked request is a refusal. */
export function isRefusal(checked: RequestHead | Refusal): checked is Refusal {
  return 'error' in checked
}

/** Assembles what the client of the API server gets. */
export function toUpstream(options: {
  request: IncomingMessage
  head: RequestHead
  requestId: string
  body: RequestBody | null
}): UpstreamRequest {
  const { head } = options
  const target = options.request.url ?? ''
  head.headers.push('Audit-ID', options.requestId)
  if (head.contentLength !== undefined && options.body !== null)
    head.headers.push('Content-Length', `${head.contentLength}`)
  return {
    method: options.request.method ?? 'GET',
    target,
    headers: head.headers,
    authorization: head.authorization,
    body: options.body,
    headersTimeoutMs: isLongRunning(target) ? 0 : limits.upstreamHeadersTimeoutMs,
  }
}

/** One request of a client and where its answer goes. */
export interface Exchange {
  request: IncomingMessage
  response: ServerResponse
  /** The client waits for `100 Continue` before it sends the body. */
  waits: boolean
}

/** Forwards one request; every outcome, good or bad, ends up in its response. */
export function forwardRequest(session: StreamSession, exchange: Exchange): void {
  const { request, response } = exchange
  const requestId = session.nextRequestId()
  const refuse = ({ error, status }: Refusal): void => {
    error.requestId = requestId
    session.onProblem(requestId, error)
    // A refused request may still have a body on its way: the connection ends with it.
    sendStatus(response, error, { status, close: true })
  }
  const head = checkRequest(request)
  if (isRefusal(head)) {
    refuse(head)
    return
  }
  if (head.upgrade !== undefined) {
    refuse(refusal('this upgrade is not supported', 400))
    return
  }
  const hasBody = head.chunked || (head.contentLength ?? 0) > 0
  const body = hasBody ? new RequestBody(request) : null
  const upstream = toUpstream({ request, head, requestId, body })
  try {
    new ResponseRelay({ session, request, response, requestId, upstream }).start()
    if (exchange.waits) response.writeContinue()
  } catch (cause) {
    body?.destroy()
    const error = isSallyportError(cause)
      ? cause
      : new SallyportError('ERR_INTERNAL', 'the request could not be sent', { cause })
    refuse({ error, status: error.entry.status })
  }
}
