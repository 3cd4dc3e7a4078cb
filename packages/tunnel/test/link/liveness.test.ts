/**
 * A peer that is gone is found; a peer that is only slow is not.
 * @module
 */
import type { Http2Session } from 'node:http2'
import type { Duplex } from 'node:stream'
import { limits } from '@sallyport/protocol'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { Liveness } from '../../src/link/liveness.ts'
import {
  closePair,
  cuttableWire,
  linkPair,
  makeIdentities,
  type CuttableWire,
  type Identities,
  type LinkPair,
} from './link-pair.ts'

let ids: Identities
let pair: LinkPair
let wire: CuttableWire
beforeAll(async () => {
  ids = await makeIdentities()
})

/** Lets everything that is in flight between the two ends arrive; real time, in which the fake clock stands. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i += 1) await new Promise((resolve) => setImmediate(resolve))
}

/** Moves the clock in steps in which PINGs are answered. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 500) {
    vi.advanceTimersByTime(Math.min(left, 500))
    await settle()
  }
}

beforeEach(async () => {
  wire = await cuttableWire()
  // Only timers: the sockets run in real time.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  pair = await linkPair(ids, { transport: wire.transport })
})
afterEach(async () => {
  vi.restoreAllMocks()
  vi.useRealTimers()
  wire.destroy()
  await closePair(pair)
})

const lost = { error: { code: 'ERR_LINK_LOST' } }

async function openBoth(): Promise<{ client: Duplex; agent: Duplex }> {
  const accepting = pair.nextAccepted()
  const client = pair.client.openStream()
  const { stream: agent } = await accepting
  return { client, agent }
}

const errorOf = (stream: Duplex): Promise<unknown> =>
  new Promise((resolve) => stream.once('error', resolve))

describe('a link whose transport went silent', () => {
  it('ends on both sides within the active interval and the answer time; its streams fail', async () => {
    const { client, agent } = await openBoth()
    const errors = Promise.all([errorOf(client), errorOf(agent)])
    await pass(100)
    wire.cut()
    await pass(limits.linkPingActiveMs + limits.linkPingTimeoutMs)
    expect(await pair.client.closed).toMatchObject(lost)
    expect(await pair.agent.closed).toMatchObject(lost)
    for (const error of await errors) expect(error).toMatchObject({ code: 'ERR_LINK_LOST' })
    expect(pair.client.open).toBe(false)
  })

  it('is noticed when idle within the idle interval', async () => {
    wire.cut()
    await pass(limits.linkPingIdleMs + limits.linkPingTimeoutMs)
    expect(await pair.client.closed).toMatchObject(lost)
    expect(await pair.agent.closed).toMatchObject(lost)
  })

  it('is asked at once when a stream opens after a silence', async () => {
    await pass(limits.linkPingActiveMs + 500)
    wire.cut()
    const stream = pair.client.openStream()
    const failed = errorOf(stream)
    await pass(limits.linkPingTimeoutMs)
    expect(await failed).toMatchObject({ code: 'ERR_LINK_LOST' })
  })

  it('fails a writer that waits', async () => {
    const { client, agent } = await openBoth()
    agent.on('error', () => undefined)
    const failed = errorOf(client)
    wire.cut()
    client.write(Buffer.alloc(40_000_000))
    await settle()
    await pass(limits.linkPingActiveMs + limits.linkPingTimeoutMs)
    expect(await failed).toMatchObject({ code: 'ERR_LINK_LOST' })
    await pair.client.closed
  })
})

describe('a link that lives', () => {
  it('stays, idle or with a silent stream', async () => {
    await pass(60_000)
    const { client, agent } = await openBoth()
    await pass(60_000)
    expect([pair.client.open, pair.agent.streams]).toEqual([true, 1])
    client.on('error', () => undefined)
    agent.on('error', () => undefined)
  })

  it('survives a transfer so slow that no PING of the sender arrives in time', async () => {
    const { client, agent } = await openBoth()
    client.on('error', () => undefined)
    agent.on('error', () => undefined)
    agent.resume()
    wire.throttle()
    client.write(Buffer.alloc(6_000_000))
    await settle()
    for (let i = 0; i < 60; i += 1) {
      wire.passUp(6000)
      await pass(500)
    }
    expect([pair.client.open, pair.agent.streams]).toEqual([true, 1])
  })
})

describe('a stalled event loop', () => {
  it('is not taken for a silent peer, which is found all the same', async () => {
    let now = 0
    vi.spyOn(performance, 'now').mockImplementation(() => now)
    const onDead = vi.fn()
    const session = { destroyed: false, ping: () => true } as unknown as Http2Session
    const liveness = new Liveness({ session, bytesRead: () => 0, streams: () => 1, onDead })
    vi.advanceTimersByTime((now = limits.linkPingActiveMs))
    // The deadline runs out on a clock that has moved on by ten seconds more.
    now += 10_000 + limits.linkPingTimeoutMs
    vi.advanceTimersByTime(limits.linkPingTimeoutMs)
    await settle()
    expect(onDead).not.toHaveBeenCalled()
    now += limits.linkPingTimeoutMs
    vi.advanceTimersByTime(limits.linkPingTimeoutMs)
    await settle()
    expect(onDead).toHaveBeenCalledOnce()
    liveness.stop()
  })
})
