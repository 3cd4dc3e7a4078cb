/**
 * Whether a form came from a page of this hub: cookies alone do not prove that.
 * @module
 */
import type { FastifyRequest } from 'fastify'

/** By `Origin`, else by what the browser itself says; a request that says neither is not from a browser of today. */
export function isSameOrigin(request: FastifyRequest, publicUrl: string): boolean {
  const { origin } = request.headers
  if (origin !== undefined && origin !== 'null') return origin === publicUrl
  return request.headers['sec-fetch-site'] === 'same-origin'
}
