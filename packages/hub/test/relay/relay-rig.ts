/**
 * A relay behind a real server on 127.0.0.1, plain or TLS, for tests of both ends of it.
 * @module
 */
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { signSasToken } from '@sallyport/tunnel'
import type { RelayAccess } from '@sallyport/protocol'
import { Relay, type RelayOptions } from '../../src/relay/relay.ts'
import type { RelayEvent } from '../../src/relay/relay-event.ts'
import type { SasRule } from '../../src/relay/authorise.ts'
import { mintAuthority, mintServerCertificate } from '../../src/server/certificate-authority.ts'

/** Entity of the tests. */
export const entity = 'microsoft.kubernetes/connectedclusters/0123abcd'

/** The rules of every rig. */
export const rules = {
  listen: { name: 'listen', key: 'key-of-listeners', rights: ['Listen'] },
  send: { name: 'send', key: 'key-of-senders', rights: ['Send'] },
  manage: { name: 'manage', key: 'key-of-managers', rights: ['Manage'] },
  limited: { name: 'limited', key: 'key-of-a-path', rights: ['Listen', 'Send'], path: 'only/here' },
} as const satisfies Record<string, SasRule | { rights: readonly string[] }>

/** A running relay. */
export interface RelayRig {
  relay: Relay
  port: number
  host: string
  /** `ws://127.0.0.1:port` or `wss://…`. */
  origin: string
  /** PEM of the CA of a TLS rig. */
  ca: string | undefined
  events: RelayEvent[]
  /** Server ends of all open connections. */
  sockets: Set<Socket>
  /** Resolves when an event of this type is there that `matches`. */
  event<T extends RelayEvent['type']>(
    type: T,
    matches?: (event: Extract<RelayEvent, { type: T }>) => boolean,
  ): Promise<Extract<RelayEvent, { type: T }>>
  token(rule: keyof typeof rules, path?: string, expiresAt?: number): string
  access(rule: keyof typeof rules, path?: string, ttlSeconds?: number): RelayAccess
  close(): Promise<void>
}

/** Starts a relay on a free port. */
export async function startRelay(
  options: Partial<RelayOptions> & { tls?: boolean } = {},
): Promise<RelayRig> {
  const { tls = false, ...relayOptions } = options
  const events: RelayEvent[] = []
  const waiters = new Set<() => void>()
  let port = 0
  const relay = new Relay({
    rules: Object.values(rules).map((rule) => ({ ...rule, rights: [...rule.rights] })),
    publicHost: () => `127.0.0.1:${port}`,
    scheme: tls ? 'wss' : 'ws',
    ...relayOptions,
    onEvent: (event) => {
      events.push(event)
      for (const waiter of waiters) waiter()
    },
  })
  const { server, ca } = await makeServer(tls)
  const sockets = new Set<Socket>()
  server.on(tls ? 'secureConnection' : 'connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.on('upgrade', (request, socket, head) => {
    if (!relay.handleUpgrade(request, socket, head)) socket.destroy()
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  port = (server.address() as AddressInfo).port
  const host = `127.0.0.1:${port}`
  const origin = `${tls ? 'wss' : 'ws'}://${host}`
  const token = (
    rule: keyof typeof rules,
    path: string = entity,
    expiresAt = Math.floor(Date.now() / 1000) + 600,
  ): string => signSasToken(rules[rule], `http://${host}/${path}`, expiresAt)
  return {
    relay,
    port,
    host,
    origin,
    ca,
    events,
    sockets,
    event: (type, matches = () => true) => {
      type Wanted = Extract<RelayEvent, { type: typeof type }>
      const find = (): Wanted | undefined =>
        events.find((event): event is Wanted => event.type === type && matches(event as Wanted))
      const { promise, resolve } = Promise.withResolvers<Wanted>()
      const look = (): void => {
        const found = find()
        if (found === undefined) return
        waiters.delete(look)
        resolve(found)
      }
      waiters.add(look)
      look()
      return promise
    },
    token,
    access: (rule, path = entity, ttlSeconds = 600) => {
      const expiresAt = Math.floor(Date.now() / 1000) + ttlSeconds
      return { url: `${origin}/$hc/${path}`, token: token(rule, path, expiresAt), expiresAt }
    },
    close: async () => {
      await relay.close()
      server.closeAllConnections()
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function makeServer(
  tls: boolean,
): Promise<{ server: ReturnType<typeof createServer>; ca: string | undefined }> {
  if (!tls) return { server: createServer(), ca: undefined }
  const now = new Date()
  const authority = await mintAuthority(now)
  const { certificate, key } = await mintServerCertificate(authority, ['127.0.0.1'], now)
  const server = createTlsServer({
    cert: certificate,
    key,
    ALPNProtocols: ['http/1.1'],
  })
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  return { server, ca: authority.certificate }
}
