/**
 * Requests each principal may make: a token bucket for reads and one for writes, shown in ARM's headers.
 * @module
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { SallyportError, limits } from '@sallyport/protocol'

interface Bucket {
  tokens: number
  filledAt: number
}

const budgets = {
  reads: { burst: limits.armReadsBurst, perSecond: limits.armReadsPerSecond },
  writes: { burst: limits.armWritesBurst, perSecond: limits.armWritesPerSecond },
} as const

/** Takes one request off the caller's budget and writes what is left into the answer. */
export type SpendRequest = (request: FastifyRequest, reply: FastifyReply) => void

/** Makes the budgets; the callers seen longest ago are forgotten above the limit, and start full again. */
export function createRequestBudget(now: () => number): SpendRequest {
  const buckets = new Map<string, Bucket>()
  return (request, reply) => {
    const kind = request.method === 'GET' || request.method === 'HEAD' ? 'reads' : 'writes'
    const { burst, perSecond } = budgets[kind]
    const key = `${kind} ${request.principal?.objectId ?? ''}`
    const at = now()
    const old = buckets.get(key) ?? { tokens: burst, filledAt: at }
    const gained = (Math.max(0, at - old.filledAt) / 1000) * perSecond
    const tokens = Math.min(burst, old.tokens + gained) - 1
    buckets.delete(key)
    const [oldest] = buckets.keys()
    if (buckets.size >= limits.armCallersTracked && oldest !== undefined) buckets.delete(oldest)
    buckets.set(key, { tokens: Math.max(0, tokens), filledAt: at })
    const left = Math.max(0, Math.floor(tokens))
    reply.header(`x-ms-ratelimit-remaining-subscription-${kind}`, String(left))
    if (tokens >= 0) return
    throw new SallyportError('ERR_RATE_LIMITED', `too many ${kind} by this principal`, {
      retryAfterSeconds: 1,
    })
  }
}
