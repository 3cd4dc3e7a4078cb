/**
 * Query parameters, names in any case as ARM takes them.
 * @module
 */
import type { FastifyRequest } from 'fastify'
import { SallyportError } from '@sallyport/protocol'

/**
 * The value of a query parameter, undefined when absent. A repeated one must say the same each time.
 * @throws SallyportError ERR_ARM_INVALID_REQUEST when it says two things.
 */
export function queryValue(request: FastifyRequest, name: string): string | undefined {
  const found = new Set<string>()
  for (const [key, value] of Object.entries(request.query as Record<string, string | string[]>)) {
    if (key.toLowerCase() !== name) continue
    for (const text of [value].flat()) found.add(text)
  }
  if (found.size > 1) {
    throw new SallyportError(
      'ERR_ARM_INVALID_REQUEST',
      `query parameter '${name}' is given twice`,
      {
        target: name,
      },
    )
  }
  const [only] = found
  return only
}
