/**
 * `/metrics`: process, HTTP, relay and token figures. Labels are routes, methods and status classes, never names or ids.
 * @module
 */
import type { FastifyInstance } from 'fastify'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

/** Counts of the relay at one moment, by name. */
export type RelayFigures = Record<string, number>

/** The registry of one process and the parts others write to. */
export interface Metrics {
  registry: Registry
  /** Token answers by result: `issued`, `refused`, `limited`. */
  tokens: Counter<'result'>
  observeHttp(labels: { method: string; route: string; status: string }, seconds: number): void
}

/** Makes the metrics of one process; `relayFigures` is read at each scrape. */
export function createMetrics(relayFigures: () => RelayFigures): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const http = new Histogram({
    name: 'sallyport_http_request_duration_seconds',
    help: 'Time to answer an HTTP request.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers: [registry],
  })
  const tokens = new Counter({
    name: 'sallyport_token_requests_total',
    help: 'Requests at the token endpoint by result.',
    labelNames: ['result'],
    registers: [registry],
  })
  new Gauge({
    name: 'sallyport_relay',
    help: 'Figures of the relay by name.',
    labelNames: ['figure'],
    registers: [registry],
    collect() {
      for (const [figure, value] of Object.entries(relayFigures())) this.set({ figure }, value)
    },
  })
  return {
    registry,
    tokens,
    observeHttp: (labels, seconds) => {
      http.observe(labels, seconds)
    },
  }
}

/** Serves `GET /metrics`. */
export function registerMetrics(app: FastifyInstance, metrics: Metrics): void {
  app.get('/metrics', async (_request, reply) => {
    const text = await metrics.registry.metrics()
    return reply.type(metrics.registry.contentType).send(text)
  })
}
