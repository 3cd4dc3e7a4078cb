/**
 * Headers ARM clients expect on every answer.
 * @module
 */
import type { FastifyInstance } from 'fastify'

const correlationHeader = 'x-ms-correlation-request-id'

/** Adds the correlation id (the client's or a new one), the sign-in challenge, and "do not store" to every answer of `scope`. */
export function addResponseHeaders(
  scope: FastifyInstance,
  parts: { publicUrl: string; tenantId: string },
): void {
  const challenge = `Bearer authorization_uri="${parts.publicUrl}/${parts.tenantId}", error="invalid_token"`
  scope.addHook('onRequest', async (request, reply) => {
    const given = request.headers[correlationHeader]
    const usable = typeof given === 'string' && /^[A-Za-z0-9._-]{1,128}$/.test(given)
    reply.header('x-ms-request-id', request.id)
    reply.header(correlationHeader, usable ? given : request.id)
    reply.header('cache-control', 'no-store')
    await Promise.resolve()
  })
  scope.addHook('onError', async (_request, reply) => {
    reply.header('www-authenticate', challenge)
    await Promise.resolve()
  })
  scope.addHook('onSend', async (_request, reply) => {
    if (reply.statusCode !== 401) reply.removeHeader('www-authenticate')
    await Promise.resolve()
  })
}
