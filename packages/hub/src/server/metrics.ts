/**
 * `/metrics`: process, HTTP, relay and token figures. Labels are routes, methods and status classes, never names or ids.
 * @module
 */
import type { FastifyInstance } from 'fastify'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { RelayStats } from '../relay/relay.ts'

/** The registry of one process and the parts others write to. */
export interface Metrics {
  registry: Registry
  /** Token answers by result: `issued`, `refused`, `limited`. */
  tokens: Counter<'result'>
  /** Sign-ins with a password by result: `signedIn`, `refused`, `limited`. */
  signIns: Counter<'result'>
  observeHttp: (labels: { method: string; route: string; status: string }, seconds: number) => void
}

/** Makes the metrics of one process. */
export function createMetrics(): Metrics {
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
  const signIns = new Counter({
    name: 'sallyport_sign_ins_total',
    help: 'Sign-ins with a password by result.',
    labelNames: ['result'],
    registers: [registry],
  })
  return {
    registry,
    tokens,
    signIns,
    observeHttp: (labels, seconds) => {
      http.observe(labels, seconds)
    },
  }
}

/** Adds the counts of the relay, read at each scrape. */
export function addRelayMetrics(metrics: Metrics, read: () => RelayStats): void {
  const gauge = (name: string, help: string, of: (stats: RelayStats) => number): void => {
    new Gauge({
      name: `sallyport_relay_${name}`,
      help,
      registers: [metrics.registry],
      collect() {
        this.set(of(read()))
      },
    })
  }
  gauge('listeners', 'Control channels of agents.', (stats) => stats.listeners)
  gauge('entities', 'Paths with at least one listener.', (stats) => stats.entities)
  gauge('waiting', 'Senders waiting for their listener.', (stats) => stats.waiting)
  gauge('rendezvous', 'Spliced connections.', (stats) => stats.rendezvous)
  gauge('up_bytes', 'Bytes from senders to listeners since the start.', (stats) => stats.bytesUp)
  gauge(
    'down_bytes',
    'Bytes from listeners to senders since the start.',
    (stats) => stats.bytesDown,
  )
}

/** Serves `GET /metrics`. */
export function registerMetrics(app: FastifyInstance, metrics: Metrics): void {
  app.get('/metrics', async (_request, reply) => {
    const text = await metrics.registry.metrics()
    return reply.type(metrics.registry.contentType).send(text)
  })
}
