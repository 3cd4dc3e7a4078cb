/**
 * Request bodies: JSON only, not compressed, bounded in depth and in number of values before anything walks them.
 * @module
 */
import type { FastifyInstance } from 'fastify'
import { SallyportError, limits } from '@sallyport/protocol'

/** Makes `scope` take JSON bodies and nothing else. No body at all is fine: ARM clients send the content type with every DELETE. */
export function acceptJsonBodies(scope: FastifyInstance): void {
  const parse = scope.getDefaultJsonParser('error', 'error')
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    const text = String(body)
    if (text.trim() === '') {
      done(null, undefined)
      return
    }
    void parse(request, text, (error, value) => {
      if (error !== null) done(malformed(error))
      else done(isBounded(value) ? null : tooDeep(), value)
    })
  })
  scope.addHook('onRequest', async (request) => {
    const encoding = request.headers['content-encoding'] ?? 'identity'
    if (encoding !== 'identity') {
      throw new SallyportError('ERR_ARM_INVALID_REQUEST', 'compressed bodies are not accepted', {
        target: 'content-encoding',
      })
    }
    await Promise.resolve()
  })
}

/** Whether a JSON value is at most `armJsonDepth` deep and has at most `armJsonNodes` values. */
function isBounded(value: unknown): boolean {
  let nodes = 0
  const open: { value: unknown; depth: number }[] = [{ value, depth: 1 }]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    nodes += 1
    if (nodes > limits.armJsonNodes || next.depth > limits.armJsonDepth) return false
    if (typeof next.value !== 'object' || next.value === null) continue
    for (const inner of Object.values(next.value))
      open.push({ value: inner, depth: next.depth + 1 })
  }
  return true
}

function malformed(cause: unknown): SallyportError {
  return new SallyportError('ERR_ARM_INVALID_REQUEST', 'The request content is not valid JSON.', {
    cause,
    target: 'body',
  })
}

function tooDeep(): SallyportError {
  return new SallyportError(
    'ERR_ARM_INVALID_REQUEST',
    `the body is nested deeper than ${limits.armJsonDepth} levels or has more than ${limits.armJsonNodes} values`,
    { target: 'body' },
  )
}
