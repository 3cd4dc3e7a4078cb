/**
 * Both ends of a link against each other: the plain path.
 * @module
 */
import { duplexPair } from 'node:stream'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  closePair,
  linkPair,
  makeIdentities,
  readAll,
  tcpPair,
  tlsPair,
  type Identities,
  type LinkPair,
  type TransportPair,
} from './link-pair.ts'

let identities: Identities
let pair: LinkPair

beforeAll(async () => {
  identities = await makeIdentities()
})
afterEach(async () => {
  await closePair(pair)
})

const transports: Record<string, () => Promise<TransportPair>> = {
  tcp: tcpPair,
  tls: () => tlsPair(identities.agent),
  // What a rendezvous in WebSocket frames is: a Duplex without a native handle.
  'a framed stream': () => {
    const [client, agent] = duplexPair()
    return Promise.resolve({ client, agent })
  },
}

const nativeHandle: Record<string, string> = { tcp: 'TCP', tls: 'TLSWrap' }

describe.each(Object.keys(transports))('a link over %s', (kind) => {
  const transport = transports[kind]!

  it('binds, carries bytes both ways and ends streams in order', async () => {
    pair = await linkPair(identities, { transport: await transport() })
    const accepting = pair.nextAccepted()
    const stream = pair.client.openStream()
    stream.end('question')
    const accepted = await accepting
    expect(accepted.id).toBe(1)
    expect(String(await readAll(accepted.stream))).toBe('question')
    accepted.stream.end('answer')
    expect(String(await readAll(stream))).toBe('answer')
    await expect.poll(() => pair.client.streams + pair.agent.streams).toBe(0)
  })

  it('keeps inner TLS on the native handle of the transport, if it has one', async () => {
    const ends = await transport()
    pair = await linkPair(identities, { transport: ends })
    for (const end of [ends.client, ends.agent]) {
      const handle = (end as unknown as { _handle?: { constructor: { name: string } } })._handle
      expect(handle?.constructor.name).toBe(nativeHandle[kind])
      // JSStreamSocket reads its stream by 'data' events; a native consumer leaves no such listener.
      expect(end.listenerCount('data')).toBe(handle === undefined ? 1 : 0)
    }
  })

  it('shows each end the key of the other', async () => {
    pair = await linkPair(identities, { transport: await transport() })
    expect(pair.client.agentKeySha256).toBe(identities.agent.keySha256)
    expect(pair.agent.peerCertificateThumbprint).toBe(identities.client.certificateThumbprint)
  })

  it('carries 5 MB both ways at once', async () => {
    pair = await linkPair(identities, { transport: await transport() })
    const accepting = pair.nextAccepted()
    const stream = pair.client.openStream()
    const { stream: accepted } = await accepting
    const bytes = Buffer.alloc(5_000_000, 'sallyport')
    stream.end(bytes)
    accepted.end(bytes)
    const [down, up] = await Promise.all([readAll(stream), readAll(accepted)])
    expect(down.equals(bytes) && up.equals(bytes)).toBe(true)
  })

  it.each(['client', 'agent'] as const)(
    'ends with an error when the %s is cut off',
    async (who) => {
      const ends = await transport()
      pair = await linkPair(identities, { transport: ends })
      ends[who].destroy()
      for (const link of [pair.client, pair.agent]) {
        expect(await link.closed).toMatchObject({ error: { code: 'ERR_LINK_LOST' } })
      }
    },
  )

  it('closes in order without an error on either side', async () => {
    pair = await linkPair(identities, { transport: await transport() })
    await pair.client.close()
    expect(await pair.client.closed).toEqual({})
    expect(await pair.agent.closed).toEqual({})
  })
})
