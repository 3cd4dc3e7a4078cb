/**
 * The HTTP/1.1 server inside the link: never listens, is fed one stream at a time, each bound to its session.
 * @module
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { limits, SallyportError } from '@sallyport/protocol'
import { forwardRequest } from './exchange.ts'
import type { StreamSession } from './stream-session.ts'
import { sendStatus, statusBytes } from './status-response.ts'
import { forwardUpgrade } from './upgrade.ts'

/** Pipelined requests that may wait on one connection; no Kubernetes client pipelines. */
const pipelinedRequests = 16

interface Connection {
  readonly session: StreamSession
  /** Answer in progress, and the last of those waiting behind it. */
  last: ServerResponse | undefined
  waiting: number
  upgraded: boolean
  readonly idle: NodeJS.Timeout
}

/** Feeds streams of all sessions to one HTTP server; a stream's session is fixed at `accept`. */
export class KubernetesServer {
  readonly #server: Server
  readonly #connections = new WeakMap<Duplex, Connection>()

  /** `headersTimeoutMs` (default: the limit of that name) bounds the time from the first byte of a head, or the opening, to its end. */
  constructor(options: { headersTimeoutMs?: number } = {}) {
    const headersTimeout = options.headersTimeoutMs ?? limits.agentHeadersTimeoutMs
    this.#server = createServer({
      maxHeaderSize: limits.agentMaxHeaderBytes,
      headersTimeout,
      // Uploads and watches last as long as they last.
      requestTimeout: 0,
      // Idle connections are ended by a timer of our own, below.
      keepAliveTimeout: 0,
      connectionsCheckingInterval: Math.min(
        limits.httpConnectionsCheckingIntervalMs,
        headersTimeout,
      ),
      requireHostHeader: true,
      insecureHTTPParser: false,
    })
    // All headers must be seen to be counted; their bytes are limited above.
    this.#server.maxHeadersCount = 0
    this.#server.on('request', this.#onRequest)
    this.#server.on('checkContinue', this.#onContinue)
    this.#server.on('checkExpectation', this.#onExpectation)
    this.#server.on('upgrade', this.#onUpgrade)
    this.#server.on('connect', this.#onConnect)
    this.#server.on('clientError', this.#onClientError)
    // node:http starts its clock of unfinished heads with this event; a server that never listens would have none.
    this.#server.emit('listening')
  }

  /** Serves HTTP/1.1 on the stream until it ends. */
  accept(stream: Duplex, session: StreamSession): void {
    const connection: Connection = {
      session,
      last: undefined,
      waiting: 0,
      upgraded: false,
      idle: setTimeout(() => {
        if (connection.last === undefined && !connection.upgraded) stream.destroy()
      }, limits.agentKeepAliveTimeoutMs).unref(),
    }
    this.#connections.set(stream, connection)
    stream.once('close', () => {
      clearTimeout(connection.idle)
    })
    // Failures of the stream show as 'close'; without a listener they would end the process.
    stream.on('error', ignore)
    this.#server.emit('connection', stream)
  }

  /** Stops the timers of the server; streams are ended by their links. */
  close(): void {
    this.#server.close()
  }

  readonly #onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    this.#enqueue(request, response, (session) => {
      forwardRequest(session, { request, response, waits: false })
    })
  }

  /** node:http calls this for any Expect that contains 100-continue; only exactly that one is known (X014, X015). */
  readonly #onContinue = (request: IncomingMessage, response: ServerResponse): void => {
    if (request.headers.expect?.toLowerCase() !== '100-continue')
      this.#onExpectation(request, response)
    else
      this.#enqueue(request, response, (session) => {
        forwardRequest(session, { request, response, waits: true })
      })
  }

  readonly #onExpectation = (request: IncomingMessage, response: ServerResponse): void => {
    this.#enqueue(request, response, () => {
      const error = new SallyportError('ERR_REQUEST_INVALID', 'the Expect header is not known')
      sendStatus(response, error, { status: 417, close: true })
    })
  }

  /** Runs `start` when the answers before it on the same connection have gone out. */
  #enqueue(
    request: IncomingMessage,
    response: ServerResponse,
    start: (session: StreamSession) => void,
  ): void {
    const connection = this.#connections.get(request.socket)
    if (connection === undefined || connection.waiting >= pipelinedRequests) {
      request.socket.destroy()
      return
    }
    const before = connection.last
    connection.last = response
    response.once('close', () => {
      if (connection.last === response) connection.last = undefined
      connection.idle.refresh()
    })
    if (before === undefined) {
      start(connection.session)
      return
    }
    connection.waiting++
    before.once('close', () => {
      connection.waiting--
      if (!response.destroyed) start(connection.session)
    })
  }

  readonly #onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const connection = this.#connections.get(socket)
    // Behind an unfinished answer the bytes of two exchanges would mix.
    if (connection === undefined || connection.last !== undefined) {
      socket.destroy()
      return
    }
    connection.upgraded = true
    forwardUpgrade({ session: connection.session, request, socket, head })
  }

  readonly #onConnect = (_request: IncomingMessage, socket: Duplex): void => {
    endWith(socket, 'the method is not allowed', 405)
  }

  readonly #onClientError = (error: Error & { code?: string }, socket: Duplex): void => {
    const connection = this.#connections.get(socket)
    // In the middle of an answer anything written would become part of its body.
    if (connection?.last !== undefined || !socket.writable) {
      socket.destroy()
      return
    }
    const status = clientErrorStatus[error.code ?? ''] ?? 400
    endWith(socket, 'the request is not valid HTTP/1.1', status)
  }
}

const clientErrorStatus: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
}

/** Last words on a connection that has no request to answer. */
function endWith(socket: Duplex, what: string, status: number): void {
  socket.end(statusBytes(new SallyportError('ERR_REQUEST_INVALID', what), status), () => {
    socket.destroy()
  })
}

function ignore(): void {
  // The reason is reported where the failure was caused.
}
