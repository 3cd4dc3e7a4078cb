/**
 * The handshake of a link against peers that do not keep to it.
 * @module
 */
import { once } from 'node:events'
import type * as net from 'node:net'
import type { Duplex } from 'node:stream'
import * as tls from 'node:tls'
import { SallyportError, limits } from '@sallyport/protocol'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { acceptAgentLink, openClientLink, type ClientLink } from '../../src/index.ts'
import { makeIdentities, tcpPair, type Identities, type TransportPair } from './link-pair.ts'

let ids: Identities
beforeAll(async () => {
  ids = await makeIdentities()
})
afterEach(() => {
  vi.useRealTimers()
})

const never = new AbortController().signal
const noBind = () => Promise.reject(new SallyportError('ERR_BIND_REFUSED', 'no'))

const accept = (stream: Duplex, signal = never) =>
  acceptAgentLink(stream, { identity: ids.agent, bind: noBind, signal })

const open = (stream: Duplex, checkAgentKey: (key: string) => void = () => undefined) =>
  openClientLink(stream, {
    identity: ids.client,
    serverName: 'test.sallyport.internal',
    checkAgentKey,
    signal: never,
  })

const handshakeFailure = { code: 'ERR_LINK_HANDSHAKE' }

/** A TLS server that is not our agent; `received` is what it could decrypt. */
function hostileAgent(
  stream: Duplex,
  options: tls.TlsOptions,
): { received: Buffer[]; ended: Promise<unknown> } {
  const received: Buffer[] = []
  stream.allowHalfOpen = false
  const ended = once(stream, 'close')
  const server = tls.createServer({
    cert: ids.agent.certificate,
    key: ids.agent.privateKey,
    ...options,
  })
  server.on('tlsClientError', () => undefined)
  server.on('secureConnection', (socket) => {
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => received.push(chunk))
  })
  server.emit('connection', stream)
  return { received, ended }
}

describe('the client', () => {
  it('T-TLS-1: refuses another key on every one of a hundred connections, before any byte of HTTP/2', async () => {
    const refusal = new SallyportError('ERR_LINK_AGENT_KEY_CHANGED', 'changed')
    const check = vi.fn((key: string) => {
      if (key !== ids.client.keySha256) throw refusal
    })
    for (let i = 0; i < 100; i += 1) {
      const { client, agent } = await tcpPair()
      // The peer offers everything that would let a client resume and skip its checks.
      const { received, ended } = hostileAgent(agent, {
        ALPNProtocols: ['h2'],
        sessionTimeout: 3600,
      })
      await expect(open(client, check)).rejects.toBe(refusal)
      await ended
      expect(Buffer.concat(received)).toHaveLength(0)
    }
    expect(check).toHaveBeenCalledTimes(100)
  })

  it.each([
    ['TLS 1.2', { maxVersion: 'TLSv1.2', ALPNProtocols: ['h2'] }],
    ['another ALPN protocol', { ALPNProtocols: ['http/1.1'] }],
    ['no ALPN protocol', {}],
  ] as [string, tls.TlsOptions][])('refuses a peer with %s', async (_name, options) => {
    const { client, agent } = await tcpPair()
    const check = vi.fn()
    hostileAgent(agent, options)
    await expect(open(client, check)).rejects.toMatchObject(handshakeFailure)
    expect(check).not.toHaveBeenCalled()
    expect(client.destroyed).toBe(true)
    agent.destroy()
  })

  it('wraps an error of checkAgentKey that is not ours', async () => {
    const { client, agent } = await tcpPair()
    const accepting = accept(agent).catch(() => undefined)
    const check = () => {
      throw new TypeError('fault')
    }
    await expect(open(client, check)).rejects.toMatchObject(handshakeFailure)
    await accepting
    agent.destroy()
  })
})

/** A TLS client that is not ours. */
const foreignClient = (stream: Duplex, options: tls.ConnectionOptions): tls.TLSSocket =>
  tls
    .connect({ socket: stream, rejectUnauthorized: false, ...options })
    .on('error', () => undefined)

describe('the agent', () => {
  const certified = () => ({ cert: ids.client.certificate, key: ids.client.privateKey })

  it.each([
    ['without certificate', () => ({ ALPNProtocols: ['h2'] })],
    ['with TLS 1.2', () => ({ ...certified(), ALPNProtocols: ['h2'], maxVersion: 'TLSv1.2' })],
    ['with another ALPN protocol', () => ({ ...certified(), ALPNProtocols: ['http/1.1'] })],
    ['without ALPN protocol', certified],
  ] as [string, () => tls.ConnectionOptions][])('refuses a client %s', async (_name, options) => {
    const { client, agent } = await tcpPair()
    foreignClient(client, options())
    await expect(accept(agent)).rejects.toMatchObject(handshakeFailure)
    expect(agent.destroyed).toBe(true)
    client.destroy()
  })

  it('resumes no session, so that every link shows its certificate', async () => {
    let session: Buffer | undefined
    for (let i = 0; i < 3; i += 1) {
      const { client, agent } = await tcpPair()
      const socket = foreignClient(client, {
        ...certified(),
        ALPNProtocols: ['h2'],
        ...(session && { session }),
      })
      socket.on('session', (given) => (session = given))
      const link = await accept(agent)
      expect(link.peerCertificateThumbprint).toBe(ids.client.certificateThumbprint)
      // The agent's SETTINGS come after anything TLS sends on its own.
      await once(socket, 'data')
      expect(socket.isSessionReused()).toBe(false)
      link.destroy()
      await link.closed
      client.destroy()
    }
  })
})

describe.each([
  ['the client', (pair: TransportPair) => [open(pair.client), pair.agent] as const],
  ['the agent', (pair: TransportPair) => [accept(pair.agent), pair.client] as const],
])('%s, in the handshake', (_name, begin) => {
  it('fails on bytes that are not TLS', async () => {
    const [opening, peer] = begin(await tcpPair())
    peer.write(Buffer.alloc(4096, 'HTTP/1.1 400 Bad Request\r\n'))
    await expect(opening).rejects.toMatchObject(handshakeFailure)
    peer.destroy()
  })

  it.each(['end', 'destroy', 'reset'] as const)('fails when the peer does %s', async (how) => {
    const [opening, peer] = begin(await tcpPair())
    if (how === 'reset') (peer as net.Socket).resetAndDestroy()
    else peer[how]()
    await expect(opening).rejects.toMatchObject(handshakeFailure)
    peer.destroy()
  })

  it('fails when the peer goes in the middle of its first flight', async () => {
    const [opening, peer] = begin(await tcpPair())
    peer.write(Buffer.from([0x16, 3, 3, 2, 0, 1]))
    peer.end()
    await expect(opening).rejects.toMatchObject(handshakeFailure)
    peer.destroy()
  })

  it('gives up at the deadline and frees the transport', async () => {
    const pair = await tcpPair()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const [opening, peer] = begin(pair)
    const failed = expect(opening).rejects.toMatchObject(handshakeFailure)
    vi.advanceTimersByTime(limits.linkHandshakeTimeoutMs)
    await failed
    vi.useRealTimers()
    peer.resume()
    await once(peer, 'end')
    peer.destroy()
  })
})

it('stops a handshake when its signal aborts', async () => {
  const { client, agent } = await tcpPair()
  const stop = new AbortController()
  const accepting = accept(agent, stop.signal)
  const failed = expect(accepting).rejects.toMatchObject({ code: 'ERR_INTERRUPTED' })
  stop.abort()
  await failed
  expect(agent.destroyed).toBe(true)
  client.destroy()
})

it('tells a client without a good certificate nothing but the end', async () => {
  const { client, agent } = await tcpPair()
  const [opened, accepted] = await Promise.allSettled([open(client), accept(agent)])
  expect([opened.status, accepted.status]).toEqual(['fulfilled', 'fulfilled'])
  const link = (opened as PromiseFulfilledResult<ClientLink>).value
  await expect(link.bind('token', never)).rejects.toMatchObject({ code: 'ERR_BIND_REFUSED' })
  await link.closed
})
