/**
 * The HTTP application on our own HTTPS server: request ids, the log line of each request, errors, limits.
 * @module
 */
import { randomUUID } from 'node:crypto'
import type { Server } from 'node:https'
import type { Socket } from 'node:net'
import {
  fastify,
  LogController,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify'
import type { Logger } from 'pino'
import {
  isSallyportError,
  limits,
  requestIdHeader,
  SallyportError,
  toArmError,
} from '@sallyport/protocol'
import { answerStarting } from './https-server.ts'
import type { Metrics } from './metrics.ts'

/** What the application is built from. */
export interface AppParts {
  server: Server
  log: Logger
  metrics: Metrics
  /** Whether the process is stopping: then each answer is the last of its connection. */
  isDraining?: () => boolean
}

/**
 * Makes the application. Case, duplicate and trailing slashes of paths do not matter (ARM clients send all of them);
 * bodies are checked, never coerced or stripped, because ARM clients send unknown properties on purpose.
 */
export function createApp(parts: AppParts): FastifyInstance {
  const app = fastify({
    // The server listens before the application is complete; `attach` hands requests over once it is.
    serverFactory: () => parts.server,
    loggerInstance: parts.log,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    bodyLimit: limits.httpMaxBodyBytes,
    routerOptions: {
      ignoreDuplicateSlashes: true,
      ignoreTrailingSlash: true,
      caseSensitive: false,
      maxParamLength: 512,
    },
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
    // Before there is a route: a path that cannot be decoded, a part of it that is too long.
    frameworkErrors: (error, request, reply) => {
      reply.header('x-ms-request-id', request.id)
      handleError(error, request, reply)
    },
    clientErrorHandler: refuseUnreadable,
    forceCloseConnections: false,
    return503OnClosing: false,
  }) as unknown as FastifyInstance
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-ms-request-id', request.id)
    reply.header('x-ms-correlation-request-id', request.id)
    const clientId = clientRequestId(request)
    if (clientId !== undefined && request.headers['x-ms-return-client-request-id'] === 'true') {
      reply.header(requestIdHeader, clientId)
    }
    reply.header('x-content-type-options', 'nosniff')
    reply.header('strict-transport-security', 'max-age=31536000')
    await Promise.resolve()
  })
  app.addHook('onSend', async (_request, reply) => {
    if (parts.isDraining?.() === true) reply.header('connection', 'close')
    await Promise.resolve()
  })
  app.addHook('onResponse', async (request, reply) => {
    logRequest(parts.metrics, request, reply)
    await Promise.resolve()
  })
  app.setErrorHandler(handleError)
  app.setNotFoundHandler((request, reply) =>
    sendError(
      request,
      reply,
      new SallyportError('ERR_ARM_ROUTE_NOT_FOUND', 'there is nothing at this path'),
    ),
  )
  return app
}

/** Hands the requests of the server to the complete application. */
export async function attach(app: FastifyInstance, server: Server): Promise<void> {
  await app.ready()
  server.removeListener('request', answerStarting)
  server.on('request', (request, response) => {
    app.routing(request, response)
  })
}

/** Answers what is not even HTTP, or too much of it, in the same envelope; there is no request to hang it on. */
function refuseUnreadable(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const statuses: Record<string, string> = {
    HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
    ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
  }
  const status = statuses[error.code ?? ''] ?? '400 Bad Request'
  const refusal = new SallyportError('ERR_ARM_INVALID_REQUEST', 'the request cannot be read', {
    why: status.slice(4),
  })
  const body = JSON.stringify(toArmError(refusal))
  const head = `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n`
  socket.end(head + body, () => {
    socket.destroy()
  })
}

/** Route pattern of a request; one value for everything unknown, so that labels stay few. */
function routeOf(request: FastifyRequest): string {
  return request.routeOptions.url ?? 'none'
}

function clientRequestId(request: FastifyRequest): string | undefined {
  const value = request.headers[requestIdHeader]
  return typeof value === 'string' && /^[A-Za-z0-9._-]{1,128}$/.test(value) ? value : undefined
}

function logRequest(metrics: Metrics, request: FastifyRequest, reply: FastifyReply): void {
  const route = routeOf(request)
  const ms = Math.round(reply.elapsedTime * 10) / 10
  const { method } = request
  const status = reply.statusCode
  metrics.observeHttp({ method, route, status: `${Math.floor(status / 100)}xx` }, ms / 1000)
  const clientId = clientRequestId(request)
  const quiet = route === '/healthz' || route === '/readyz' || route === '/metrics'
  request.log[quiet ? 'debug' : 'info']({
    event: 'http.request',
    method,
    route,
    status,
    ms,
    ...(clientId === undefined ? {} : { clientRequestId: clientId }),
  })
}

function handleError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const known = isSallyportError(error) ? error : fromFastify(error)
  if (known.entry.status >= 500) request.log.error({ event: 'http.error', err: error })
  else request.log.debug({ event: 'http.error', err: error })
  return sendError(request, reply, known)
}

/** Sends an error as ARM does, with `Retry-After` and, at 401, the challenge clients expect. */
function sendError(
  request: FastifyRequest,
  reply: FastifyReply,
  error: SallyportError,
): FastifyReply {
  error.requestId ??= request.id
  reply.header('x-ms-error-code', error.entry.reason)
  if (error.retryAfterSeconds !== undefined) reply.header('retry-after', error.retryAfterSeconds)
  if (error.entry.status === 401 && !reply.hasHeader('www-authenticate')) {
    reply.header('www-authenticate', 'Bearer error="invalid_token"')
  }
  return reply.code(error.entry.status).send(toArmError(error))
}

function fromFastify(error: unknown): SallyportError {
  const code = (error as Partial<FastifyError> | undefined)?.code
  const status = (error as Partial<FastifyError> | undefined)?.statusCode ?? 500
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return new SallyportError('ERR_ARM_BODY_TOO_LARGE', 'the body is too large')
  }
  if (error instanceof Error && 'validation' in error && error.validation !== undefined) {
    return new SallyportError('ERR_ARM_INVALID_REQUEST', error.message)
  }
  if (status >= 400 && status < 500) {
    return new SallyportError('ERR_ARM_INVALID_REQUEST', 'the request cannot be read', {
      cause: error,
    })
  }
  return new SallyportError('ERR_INTERNAL', 'the hub failed to answer this request', {
    cause: error,
  })
}
