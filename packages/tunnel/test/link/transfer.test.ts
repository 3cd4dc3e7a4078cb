/**
 * Many streams, random sizes, slow readers: what is sent arrives, and nobody disturbs another.
 * @module
 */
import { createHash, randomBytes, randomInt } from 'node:crypto'
import { once } from 'node:events'
import type * as net from 'node:net'
import type { Duplex } from 'node:stream'
import { limits } from '@sallyport/protocol'
import { beforeAll, describe, expect, it } from 'vitest'
import { streamWindowBytes } from '../../src/link/stream-window.ts'
import {
  closePair,
  cuttableWire,
  linkPair,
  makeIdentities,
  readAll,
  tcpPair,
  tlsPair,
  type Identities,
  type LinkPair,
} from './link-pair.ts'

let ids: Identities
beforeAll(async () => {
  ids = await makeIdentities()
})

/** Writes random chunks up to `bytes`, respecting back-pressure; resolves with the checksum of what it wrote. */
async function sendRandom(stream: Duplex, bytes: number): Promise<string> {
  const hash = createHash('sha256')
  for (let left = bytes; left > 0;) {
    const chunk = randomBytes(Math.min(left, randomInt(1, randomInt(2, 200_000))))
    left -= chunk.length
    hash.update(chunk)
    if (randomInt(4) === 0) stream.cork()
    const room = stream.write(chunk)
    if (!room || randomInt(4) === 0) uncork(stream)
    if (!room) await once(stream, 'drain')
  }
  uncork(stream)
  stream.end()
  return hash.digest('hex')
}

function uncork(stream: Duplex): void {
  while (stream.writableCorked > 0) stream.uncork()
}

/** Reads to the end, pausing now and then; resolves with the checksum. */
function receive(stream: Duplex): Promise<string> {
  return new Promise((resolve, reject) => {
    const hash = createHash('sha256')
    stream.on('data', (chunk: Buffer) => {
      hash.update(chunk)
      if (randomInt(20) > 0) return
      stream.pause()
      setImmediate(() => stream.resume())
    })
    stream.once('end', () => {
      resolve(hash.digest('hex'))
    })
    stream.once('error', reject)
  })
}

async function openBoth(pair: LinkPair): Promise<{ client: Duplex; agent: Duplex }> {
  const accepting = pair.nextAccepted()
  const client = pair.client.openStream()
  return { client, agent: (await accepting).stream }
}

describe.each(['tcp', 'tls'] as const)('over %s', (kind) => {
  it('20 streams carry random bytes both ways at once', async () => {
    const pair = await linkPair(ids, {
      transport: await (kind === 'tcp' ? tcpPair() : tlsPair(ids.agent)),
    })
    const exchange = async (): Promise<void> => {
      const { client, agent } = await openBoth(pair)
      const size = () => randomInt(0, 10 ** randomInt(1, 7))
      const [up, upSeen, down, downSeen] = await Promise.all([
        sendRandom(client, size()),
        receive(agent),
        sendRandom(agent, size()),
        receive(client),
      ])
      expect([upSeen, downSeen]).toEqual([up, down])
    }
    await Promise.all(Array.from({ length: 20 }, exchange))
    await expect.poll(() => pair.client.streams + pair.agent.streams).toBe(0)
    await closePair(pair)
  })
})

describe('a reader that stops', () => {
  it('holds its own stream only: 50 MB pass beside 6 stalled streams', async () => {
    const pair = await linkPair(ids)
    const stalled: Duplex[] = []
    for (let i = 0; i < 6; i += 1) {
      const { client, agent } = await openBoth(pair)
      client.on('error', () => undefined)
      agent.on('error', () => undefined)
      // Twice its window: the writer stays blocked, and six windows are more than the window of the session.
      agent.write(Buffer.alloc(2 * limits.linkStreamWindowBytes))
      stalled.push(client)
    }
    const { client, agent } = await openBoth(pair)
    agent.end(Buffer.alloc(50_000_000))
    client.end()
    agent.resume()
    expect(await readAll(client)).toHaveLength(50_000_000)
    // What a reader has not asked for stays within the window granted to its stream.
    for (const stream of stalled) {
      expect(stream.readableLength).toBeLessThanOrEqual(limits.linkStreamWindowBytes)
    }
    await closePair(pair)
  })
})

describe('many readers that stop', () => {
  it('hold no more than the link may buffer', async () => {
    const pair = await linkPair(ids)
    const stalled: Duplex[] = []
    for (let i = 0; i < 64; i += 1) {
      const { client, agent } = await openBoth(pair)
      client.on('error', () => undefined)
      agent.on('error', () => undefined)
      // More than it may send, so that only the window holds it back.
      agent.write(Buffer.alloc(4 * streamWindowBytes(i)))
      stalled.push(client)
      // Each fills its window before the next opens: the worst order.
      await once(client, 'readable')
    }
    const { client, agent } = await openBoth(pair)
    agent.end(Buffer.alloc(10_000_000))
    client.end()
    agent.resume()
    expect(await readAll(client)).toHaveLength(10_000_000)
    const worst = limits.linkBufferBytes * (1 + Math.log2(64 / 8) / 2)
    expect((pair.transport.client as net.Socket).bytesRead).toBeLessThan(1.05 * worst + 11_000_000)
    await closePair(pair)
  })
})

describe('a transfer that is stuck', () => {
  it('holds up nothing that comes the other way', async () => {
    // node:http2 once stopped reading while a write was in progress; two ends that both write then wait for each other for ever.
    const wire = await cuttableWire()
    const pair = await linkPair(ids, { transport: wire.transport })
    const up = await openBoth(pair)
    const down = await openBoth(pair)
    for (const stream of [up.client, up.agent, down.client, down.agent]) {
      stream.on('error', () => undefined)
    }
    wire.throttle()
    up.client.write(Buffer.alloc(30_000_000))
    down.agent.end(Buffer.alloc(5_000_000))
    expect(await readAll(down.client)).toHaveLength(5_000_000)
    wire.destroy()
    await closePair(pair)
  })
})

describe('opening and closing', () => {
  it('500 streams leave nothing behind', async () => {
    const pair = await linkPair(ids)
    const before = process.getActiveResourcesInfo().length
    for (let round = 0; round < 10; round += 1) {
      const talk = async (): Promise<void> => {
        const { client, agent } = await openBoth(pair)
        client.end('ping')
        agent.pipe(agent)
        expect(String(await readAll(client))).toBe('ping')
      }
      await Promise.all(Array.from({ length: 50 }, talk))
    }
    await expect.poll(() => pair.client.streams + pair.agent.streams).toBe(0)
    expect(pair.accepted.at(-1)?.id).toBe(500)
    expect(process.getActiveResourcesInfo().length).toBeLessThanOrEqual(before + 2)
    await closePair(pair)
  })

  it('refuses more than linkStreams at once and goes on after', async () => {
    const pair = await linkPair(ids, {
      onStream: ({ stream }) => stream.on('error', () => undefined),
    })
    const open = Array.from({ length: limits.linkStreams }, () => {
      const stream = pair.client.openStream()
      stream.on('error', () => undefined)
      return stream
    })
    expect(() => pair.client.openStream()).toThrow(
      expect.objectContaining({ code: 'ERR_AGENT_BUSY' }),
    )
    await expect.poll(() => pair.agent.streams).toBe(limits.linkStreams)
    // A full house still renews.
    await pair.client.bind('again', AbortSignal.timeout(5000))
    for (const stream of open) stream.destroy()
    await expect.poll(() => pair.client.streams).toBe(0)
    expect(pair.client.open).toBe(true)
    await closePair(pair)
  })
})
