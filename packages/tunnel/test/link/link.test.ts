/**
 * Both ends of a link against each other: the plain path.
 * @module
 */
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
} from './link-pair.ts'

let identities: Identities
let pair: LinkPair

beforeAll(async () => {
  identities = await makeIdentities()
})
afterEach(async () => {
  await closePair(pair)
})

describe.each(['tcp', 'tls'] as const)('a link over %s', (kind) => {
  const transport = () => (kind === 'tcp' ? tcpPair() : tlsPair(identities.agent))

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

  it('keeps inner TLS on the native handle of the transport', async () => {
    const ends = await transport()
    pair = await linkPair(identities, { transport: ends })
    for (const end of [ends.client, ends.agent]) {
      const handle = (end as unknown as { _handle: { constructor: { name: string } } })._handle
      expect(handle.constructor.name).toBe(kind === 'tcp' ? 'TCP' : 'TLSWrap')
      // JSStreamSocket reads its stream by 'data' events; a native consumer leaves no such listener.
      expect(end.listenerCount('data')).toBe(0)
    }
  })

  it('shows each end the key of the other', async () => {
    pair = await linkPair(identities, { transport: await transport() })
    expect(pair.client.agentKeySha256).toBe(identities.agent.keySha256)
    expect(pair.agent.peerCertificateThumbprint).toBe(identities.client.certificateThumbprint)
  })

  it('closes in order without an error on either side', async () => {
    pair = await linkPair(identities, { transport: await transport() })
    await pair.client.close()
    expect(await pair.client.closed).toEqual({})
    expect(await pair.agent.closed).toEqual({})
  })
})
