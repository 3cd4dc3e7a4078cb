/**
 * Two ends of a link over a real transport, for the tests of this folder.
 * @module
 */
import { once } from 'node:events'
import * as net from 'node:net'
import type { Duplex } from 'node:stream'
import * as tls from 'node:tls'
import { limits } from '@sallyport/protocol'
import {
  acceptAgentLink,
  createLinkIdentity,
  openClientLink,
  type AgentLink,
  type AgentLinkOptions,
  type BoundSession,
  type ClientLink,
  type ClientLinkOptions,
  type LinkIdentity,
  type LinkStream,
} from '../../src/index.ts'

/** A connected pair of sockets and what releases them. */
export interface TransportPair {
  client: Duplex
  agent: Duplex
}

/** Identities for one test file: making one takes milliseconds, but thousands of links would add up. */
export interface Identities {
  client: LinkIdentity
  agent: LinkIdentity
}

/** Makes both identities. */
export async function makeIdentities(): Promise<Identities> {
  const make = (commonName: string): Promise<LinkIdentity> =>
    createLinkIdentity({ commonName, validForMs: 3_600_000 })
  return { client: await make('client'), agent: await make('agent') }
}

/** Two ends of one TCP connection on the loopback, half-open allowed as on every leg of the product. */
export async function tcpPair(): Promise<TransportPair> {
  const server = net.createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo
  const client = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  const [[agent]] = (await Promise.all([once(server, 'connection'), once(client, 'connect')])) as [
    [net.Socket],
    unknown,
  ]
  server.close()
  return { client, agent }
}

/** As `tcpPair`, inside an outer TLS connection: the raw rendezvous of an https relay. */
export async function tlsPair(identity: LinkIdentity): Promise<TransportPair> {
  const outer = await tcpPair()
  const server = tls.createServer({ cert: identity.certificate, key: identity.privateKey })
  const client = tls.connect({ socket: outer.client, rejectUnauthorized: false })
  server.emit('connection', outer.agent)
  const [[agent]] = (await Promise.all([
    once(server, 'secureConnection'),
    once(client, 'secureConnect'),
  ])) as [[tls.TLSSocket], unknown]
  return { client, agent }
}

/** A transport with a relay in the middle that can stop forwarding, as one does whose machine is frozen or whose network is gone. */
export interface CuttableWire {
  transport: TransportPair
  cut: () => void
  /** From now on bytes of the client pass only as `passUp` lets them. */
  throttle: () => void
  passUp: (bytes: number) => void
  destroy: () => void
}

/** Makes one over TCP. */
export async function cuttableWire(): Promise<CuttableWire> {
  const [left, right] = [await tcpPair(), await tcpPair()]
  const [a, b] = [left.agent as net.Socket, right.client as net.Socket]
  a.pipe(b).pipe(a)
  // Tests with a clock of their own leave Nagle's algorithm no time.
  for (const socket of [a, b]) socket.setNoDelay().on('error', () => undefined)
  return {
    transport: { client: left.client, agent: right.agent },
    cut: () => {
      a.unpipe(b).pause()
      b.unpipe(a).pause()
    },
    throttle: () => a.unpipe(b).pause(),
    passUp: (bytes) => {
      const chunk = a.read(Math.min(bytes, a.readableLength)) as Buffer | null
      if (chunk !== null) b.write(chunk)
    },
    destroy: () => {
      a.destroy()
      b.destroy()
    },
  }
}

/** Both ends of one link, bound, with the streams the agent was given in order. */
export interface LinkPair {
  client: ClientLink
  agent: AgentLink
  transport: TransportPair
  accepted: LinkStream[]
  /** The next stream of the agent. */
  nextAccepted: () => Promise<LinkStream>
}

/** Unix seconds from now. */
export const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds

/** Opens and binds a link over `transport`. */
export async function linkPair(
  identities: Identities,
  options: {
    transport?: TransportPair
    agent?: Partial<AgentLinkOptions>
    client?: Partial<ClientLinkOptions>
    onStream?: (stream: LinkStream) => void
    bound?: Partial<BoundSession>
  } = {},
): Promise<LinkPair> {
  const transport = options.transport ?? (await tcpPair())
  const accepted: LinkStream[] = []
  const waiting: ((stream: LinkStream) => void)[] = []
  const { signal } = new AbortController()
  const onStream = (stream: LinkStream): void => {
    accepted.push(stream)
    waiting.shift()?.(stream)
  }
  const [client, agent] = await Promise.all([
    openClientLink(transport.client, {
      identity: identities.client,
      serverName: 'test.sallyport.internal',
      checkAgentKey: () => undefined,
      signal,
      ...options.client,
    }),
    acceptAgentLink(transport.agent, {
      identity: identities.agent,
      signal,
      bind: () =>
        Promise.resolve({
          sessionId: 'session-1',
          expiresAt: inSeconds(300),
          onStream: options.onStream ?? onStream,
          ...options.bound,
        }),
      ...options.agent,
    }),
  ])
  await client.bind('token', AbortSignal.timeout(limits.bindTimeoutMs))
  const nextAccepted = (): Promise<LinkStream> =>
    new Promise((resolve) => {
      waiting.push(resolve)
    })
  return { client, agent, transport, accepted, nextAccepted }
}

/** All bytes up to the end of the readable half; leaves the writable half alone, which an async iterator would destroy. */
export function readAll(stream: Duplex): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.once('end', () => {
      resolve(Buffer.concat(chunks))
    })
    stream.once('error', reject)
  })
}

/** Ends both ends and waits for it. */
export async function closePair(pair: { client: ClientLink; agent: AgentLink }): Promise<void> {
  pair.client.destroy()
  pair.agent.destroy()
  await Promise.all([pair.client.closed, pair.agent.closed])
}
