/**
 * Health and metrics of the agent, on an address of its own, off by default: states and counts, no data (T-REL-1).
 * @module
 */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { limits, SallyportError } from '@sallyport/protocol'
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'

/** What is shown; read at each request. */
export interface AgentGauges {
  sessions: number
  links: number
  streams: number
  requests: number
  problems: number
  rbacObjects: number
  rbacRestored: number
  rbacConflicts: number
  listening: boolean
  enrolled: boolean
}

const gauges = {
  sessions: 'bound sessions',
  links: 'links to clients',
  streams: 'open streams',
  requests: 'requests received since the start',
  problems: 'requests refused or failed since the start',
  rbacObjects: 'RBAC objects the role assignments call for',
  rbacRestored: 'manual changes of RBAC objects put back since the start',
  rbacConflicts: 'objects left alone that have the name or the labels of ours',
} as const

function createRegistry(read: () => AgentGauges): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  for (const [name, help] of Object.entries(gauges) as [keyof typeof gauges, string][])
    new Gauge({
      name: `sallyport_agent_${name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`,
      help,
      registers: [registry],
      collect() {
        this.set(read()[name])
      },
    })
  return registry
}

/** Serves /healthz, /readyz (an open control channel) and /metrics. @throws SallyportError ERR_PORT_IN_USE. */
export async function startHealthServer(
  listen: { host: string; port: number },
  read: () => AgentGauges,
): Promise<{ port: number; close: () => Promise<void> }> {
  const registry = createRegistry(read)
  const server = createServer({
    headersTimeout: limits.httpHeadersTimeoutMs,
    requestTimeout: limits.httpRequestTimeoutMs,
    maxHeaderSize: limits.httpMaxHeaderBytes,
  })
  server.on('request', (request, response) => {
    const { listening, enrolled } = read()
    const ready = listening && enrolled
    if (request.method !== 'GET') response.writeHead(405).end()
    else if (request.url === '/healthz') response.writeHead(200).end('ok\n')
    else if (request.url === '/readyz')
      response.writeHead(ready ? 200 : 503).end(ready ? 'ok\n' : 'not listening\n')
    else if (request.url === '/metrics')
      registry.metrics().then(
        (text) =>
          response.writeHead(200, { 'content-type': registry.contentType }).end(Buffer.from(text)),
        () => response.writeHead(500).end(),
      )
    else response.writeHead(404).end()
  })
  await listenOn(server, listen)
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    close: async () => {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

async function listenOn(server: Server, listen: { host: string; port: number }): Promise<void> {
  try {
    server.listen(listen.port, listen.host)
    await once(server, 'listening')
  } catch (cause) {
    throw new SallyportError('ERR_PORT_IN_USE', `${listen.host}:${listen.port} cannot be used`, {
      cause,
    })
  }
}
