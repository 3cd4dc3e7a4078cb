/**
 * Answers of the OAuth endpoints: errors, and the headers that keep tokens out of caches.
 * @module
 */
import type { FastifyReply } from 'fastify'
import type { OAuthError } from './token-request.ts'

/** The error of a path whose tenant is not ours. */
export const unknownTenant: OAuthError = {
  status: 400,
  error: 'invalid_tenant',
  description: 'this hub has no tenant of that name',
}

/** The error of a body that is not a form. */
export const notAForm: OAuthError = {
  status: 400,
  error: 'invalid_request',
  description: 'send a form: content-type application/x-www-form-urlencoded',
}

/** The error of too many requests. */
export function tooMany(seconds: number): OAuthError {
  return {
    status: 429,
    error: 'temporarily_unavailable',
    description: `too many requests; try again in ${seconds} s`,
  }
}

/** Sends an error. */
export function sendOAuthError(reply: FastifyReply, error: OAuthError): FastifyReply {
  if (error.status === 401) reply.header('www-authenticate', 'Basic realm="sallyport"')
  return noStore(reply)
    .code(error.status)
    .send({ error: error.error, error_description: error.description })
}

/** Marks an answer as not to be kept (RFC 6749 section 5.1). */
export function noStore(reply: FastifyReply): FastifyReply {
  return reply.header('cache-control', 'no-store').header('pragma', 'no-cache')
}
