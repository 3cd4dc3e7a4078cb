/**
 * Carries one answer of the API server to the client: undici calls in, node:http goes out, nothing between.
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isSallyportError, limits, type SallyportError } from '@sallyport/protocol'
import type { Dispatcher } from 'undici'
import type { UpstreamClient, UpstreamRequest } from '../upstream/client.ts'
import type { StreamSession } from './stream-session.ts'
import { cleanResponseHead, headerValue } from './response-head.ts'
import { sendStatus } from './status-response.ts'
import { credentialFailure, impersonationForbidden, upstreamFailure } from './upstream-failure.ts'

type Controller = Dispatcher.DispatchController

/** A 403 that could be about the agent is held back up to this size, to be looked at. */
const inspectedBytes = limits.agentReportBytes

/** A kept connection that turned out to be closed: nothing was answered on it. */
const brokenConnection = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'])
const repeatable = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Handler of one request; sends it again once when a kept connection broke under it, as Go's own client does. */
export class ResponseRelay implements Dispatcher.DispatchHandler {
  readonly #session: StreamSession
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #requestId: string
  readonly #upstream: UpstreamRequest
  /** Headers without those the client of the API server adds. */
  readonly #ownHeaders: number
  #kind: UpstreamClient['kind'] | undefined
  #attempts = 0
  #answered = false
  #controller: Controller | undefined
  #waitsForDrain = false
  /** Chunks of a 403 held back; undefined when the answer flows. */
  #held: { status: number; text: string; headers: string[]; chunks: Buffer[] } | undefined

  constructor(options: {
    session: StreamSession
    request: IncomingMessage
    response: ServerResponse
    requestId: string
    upstream: UpstreamRequest
  }) {
    this.#session = options.session
    this.#request = options.request
    this.#response = options.response
    this.#requestId = options.requestId
    this.#upstream = options.upstream
    this.#ownHeaders = options.upstream.headers.length
    options.response.once('close', this.#onClose)
  }

  /** Sends the request. @throws SallyportError when it may not be sent. */
  start(): void {
    this.#attempts++
    this.#upstream.headers.length = this.#ownHeaders
    const { client } = this.#session
    this.#kind = client.kind
    client.send(this.#upstream, this)
  }

  onRequestStart(controller: Controller): void {
    this.#controller = controller
    if (this.#response.destroyed) controller.abort(gone())
  }

  onResponseStart(controller: Controller, status: number, ...rest: [unknown, string?]): void {
    this.#answered = true
    // 102 and 103 say nothing a Kubernetes client waits for.
    if (status < 200) return
    const failure = credentialFailure(this.#kind, status)
    if (failure !== undefined) {
      this.#fail(failure)
      controller.abort(failure)
      return
    }
    const text = rest[1] ?? ''
    const raw = controller.rawHeaders
    const headers = cleanResponseHead(Array.isArray(raw) ? raw : [])
    if (status === 403 && this.#isSmall(headers)) this.#held = { status, text, headers, chunks: [] }
    else this.#writeHead(status, text, headers)
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (this.#held !== undefined) {
      this.#held.chunks.push(chunk)
      return
    }
    if (this.#response.write(chunk)) return
    controller.pause()
    if (this.#waitsForDrain) return
    this.#waitsForDrain = true
    this.#response.on('drain', () => {
      this.#controller?.resume()
    })
  }

  onResponseEnd(): void {
    if (this.#held !== undefined && !this.#release(this.#held)) return
    this.#response.end()
  }

  onResponseError(_: unknown, error: Error): void {
    // The client left first: what follows is our own abort.
    if (this.#response.destroyed || this.#response.writableEnded) return
    if (!this.#mayRepeat(error)) {
      this.#fail(upstreamFailure(error))
      return
    }
    try {
      this.start()
    } catch (cause) {
      this.#fail(isSallyportError(cause) ? cause : upstreamFailure(cause))
    }
  }

  #mayRepeat(error: Error): boolean {
    const { method, body } = this.#upstream
    return (
      !this.#answered &&
      this.#attempts === 1 &&
      body === null &&
      repeatable.has(method) &&
      'code' in error &&
      typeof error.code === 'string' &&
      brokenConnection.has(error.code)
    )
  }

  #isSmall(headers: readonly string[]): boolean {
    if (this.#kind !== 'impersonating') return false
    return Number(headerValue(headers, 'content-length') ?? Infinity) <= inspectedBytes
  }

  /** Sends a held 403 on, or our own error instead of it; false when it was the latter. */
  #release(held: { status: number; text: string; headers: string[]; chunks: Buffer[] }): boolean {
    const body = Buffer.concat(held.chunks)
    const failure = impersonationForbidden(body)
    if (failure !== undefined) {
      this.#fail(failure)
      return false
    }
    this.#writeHead(held.status, held.text, held.headers)
    this.#response.write(body)
    return true
  }

  #writeHead(status: number, text: string, headers: string[]): void {
    const response = this.#response
    // An answer before the end of the request body: the connection cannot be used again with certainty.
    if (!this.#request.complete) response.shouldKeepAlive = false
    response.writeHead(status, text, headers)
    if (headerValue(headers, 'content-length') !== undefined) return
    // A watch or `logs -f` has to show its head before the first event; one tick later, so that both travel together.
    response.cork()
    response.flushHeaders()
    process.nextTick(() => {
      response.uncork()
    })
  }

  #fail(error: SallyportError): void {
    error.requestId = this.#requestId
    this.#session.onProblem(this.#requestId, error)
    // After the head only a broken connection tells the client that the body is not whole.
    if (this.#response.headersSent) this.#response.destroy(error)
    else sendStatus(this.#response, error, { close: !this.#request.complete })
  }

  readonly #onClose = (): void => {
    if (!this.#response.writableFinished) this.#controller?.abort(gone())
  }
}

function gone(): Error {
  return new Error('the client went away')
}
