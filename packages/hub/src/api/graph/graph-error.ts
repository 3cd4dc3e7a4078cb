/**
 * Errors as Microsoft Graph says them.
 * @module
 */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { isSallyportError, requestIdHeader, SallyportError } from '@sallyport/protocol'
import { toSallyportError } from '../errors.ts'

/** Codes of Graph for our statuses, where ours is not Graph's own already. */
const codes: Readonly<Record<number, string>> = {
  400: 'Request_BadRequest',
  403: 'Authorization_RequestDenied',
  404: 'Request_ResourceNotFound',
}

/** Answers errors of `scope` in the envelope of Graph. What is not one of our errors goes on to the application. */
export function answerGraphErrors(scope: FastifyInstance, now: () => number): void {
  scope.setErrorHandler((thrown, request, reply) => {
    const error = toSallyportError(thrown)
    if (!isSallyportError(error) || error.entry.status >= 500) throw error as Error
    request.log.debug({ event: 'http.error', err: error })
    if (error.retryAfterSeconds !== undefined) reply.header('retry-after', error.retryAfterSeconds)
    reply.header('x-ms-error-code', error.entry.reason)
    return reply.code(error.entry.status).send(envelope(error, request, now()))
  })
}

function envelope(error: SallyportError, request: FastifyRequest, now: number) {
  const client = request.headers['client-request-id'] ?? request.headers[requestIdHeader]
  const isUsable = typeof client === 'string' && /^[A-Za-z0-9._-]{1,128}$/.test(client)
  const isOwn = error.code.startsWith('ERR_DIRECTORY') || error.code === 'ERR_LAST_ADMINISTRATOR'
  const code = isOwn ? undefined : codes[error.entry.status]
  return {
    error: {
      code: code ?? error.entry.reason,
      message: error.message,
      ...(error.target === undefined ? {} : { target: error.target }),
      innerError: {
        date: new Date(now).toISOString().slice(0, 19),
        'request-id': request.id,
        'client-request-id': isUsable ? client : request.id,
        code: error.code,
        remedy: error.remedy,
      },
    },
  }
}
