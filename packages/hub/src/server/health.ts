/**
 * `/healthz` (the process answers) and `/readyz` (send traffic here), both public and without detail.
 * @module
 */
import type { FastifyInstance } from 'fastify'

/** What readiness depends on. */
export interface Readiness {
  isDraining: () => boolean
  /** Rejects when the store does not answer; absent where there is no store. */
  ping?: () => Promise<void>
}

/** Serves both. */
export function registerHealth(app: FastifyInstance, readiness: Readiness): void {
  app.get('/healthz', () => ({ status: 'ok' }))
  app.get('/readyz', async (request, reply) => {
    reply.header('cache-control', 'no-store')
    if (readiness.isDraining()) return reply.code(503).send({ status: 'draining' })
    try {
      await readiness.ping?.()
    } catch (error) {
      request.log.error({ event: 'store.ping', err: error }, 'the store does not answer')
      return reply.code(503).send({ status: 'store' })
    }
    return { status: 'ready' }
  })
}
