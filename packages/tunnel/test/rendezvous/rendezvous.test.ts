/**
 * Both ends of a rendezvous against the real relay, in every mode.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { afterEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { startRelay, type RelayRig } from '../../../hub/test/relay/relay-rig.ts'
import { dialRendezvous } from '../../src/rendezvous/dial-rendezvous.ts'
import { startMiddlebox, startProxy } from './http-proxy.ts'
import {
  connect,
  dialOf,
  readAll,
  readBytes,
  startListener,
  type TestListener,
} from './rendezvous-rig.ts'

const cleanUps: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

async function rigOf(options: { tls: boolean }): Promise<RelayRig> {
  const rig = await startRelay(options)
  cleanUps.push(() => rig.close())
  return rig
}

async function listenerOf(...args: Parameters<typeof startListener>): Promise<TestListener> {
  const listener = await startListener(...args)
  cleanUps.push(() => listener.listener.close())
  return listener
}

describe.each([
  { tls: false, mode: 'raw' },
  { tls: true, mode: 'raw' },
  { tls: false, mode: 'framed' },
  { tls: true, mode: 'framed' },
] as const)('tls $tls, $mode', (variant) => {
  async function pair() {
    const rig = await rigOf(variant)
    const listener = await listenerOf(rig)
    return { rig, ...(await connect(rig, listener, { modes: [variant.mode] })) }
  }

  test('bytes arrive in both directions, and each end of stream on its own', async () => {
    const { rig, sender, taken } = await pair()
    expect([sender.mode, taken.mode]).toEqual([variant.mode, variant.mode])
    expect(taken.id).toBe(sender.id)
    const up = randomBytes(3_000_000)
    const down = randomBytes(2_000_000)
    sender.stream.end(up)
    expect((await readAll(taken.stream)).equals(up)).toBe(true)
    taken.stream.write(down)
    expect((await readBytes(sender.stream, down.length)).equals(down)).toBe(true)
    taken.stream.end('bye')
    expect((await readAll(sender.stream)).toString()).toBe('bye')
    const closed = await rig.event('rendezvous-closed')
    expect(closed.bytesUp).toBeGreaterThanOrEqual(up.length)
    expect(closed.bytesDown).toBeGreaterThanOrEqual(down.length + 3)
  })

  test('what is written at once is not lost behind the 101', async () => {
    const rig = await rigOf(variant)
    const greeting = randomBytes(100_000)
    const listener = await listenerOf(rig, {
      onRendezvous: ({ stream }) => {
        stream.end(greeting)
        stream.resume()
      },
    })
    expect(listener.listener.listening).toBe(true)
    const { stream } = await dialRendezvous(rig.access('send'), {
      ...dialOf(rig),
      signal: AbortSignal.timeout(5000),
      modes: [variant.mode],
    })
    stream.end()
    expect((await readAll(stream)).equals(greeting)).toBe(true)
  })

  test('a writer stalls when nobody reads, and all arrives when somebody does', async () => {
    const { sender, taken } = await pair()
    const block = Buffer.alloc(128 * 1024, 1)
    let written = 0
    for (;;) {
      written += block.length
      expect(written).toBeLessThan(100 * 1024 * 1024)
      if (sender.stream.write(block)) continue
      const quiet = new Promise((resolve) => setTimeout(resolve, 300, true))
      if (await Promise.race([once(sender.stream, 'drain').then(() => false), quiet])) break
    }
    expect(taken.stream.readableLength).toBeLessThan(1024 * 1024)
    sender.stream.end()
    expect((await readAll(taken.stream)).length).toBe(written)
    taken.stream.end()
    await readAll(sender.stream)
  })

  test('a side that is destroyed ends the other within 1 s', async () => {
    const { rig, sender, taken } = await pair()
    const ended = new Promise((resolve) => taken.stream.once('end', resolve).once('error', resolve))
    taken.stream.resume()
    const startedAt = performance.now()
    sender.stream.destroy()
    await ended
    expect(performance.now() - startedAt).toBeLessThan(1000)
    taken.stream.destroy()
    await rig.event('rendezvous-closed')
  })
})

test('raw hands out the socket itself', async () => {
  const rig = await rigOf({ tls: true })
  const listener = await listenerOf(rig)
  const { sender, taken } = await connect(rig, listener)
  expect([sender.mode, taken.mode]).toEqual(['raw', 'raw'])
  expect((sender.stream as Socket).remotePort).toBe(rig.port)
  expect((taken.stream as Socket).remotePort).toBe(rig.port)
  sender.stream.destroy()
  taken.stream.destroy()
})

describe('a middlebox that takes the subprotocol out', () => {
  async function exchange(sender: Duplex, taken: Duplex): Promise<void> {
    const bytes = randomBytes(200_000)
    sender.end(bytes)
    expect((await readAll(taken)).equals(bytes)).toBe(true)
    taken.end('ok')
    expect((await readAll(sender)).toString()).toBe('ok')
  }

  test('on the way of the sender: both ends fall back to frames', async () => {
    const rig = await rigOf({ tls: false })
    const box = await startMiddlebox(rig.port)
    cleanUps.push(() => box.close())
    const listener = await listenerOf(rig)
    const access = rig.access('send')
    const [sender, taken] = await Promise.all([
      dialRendezvous(
        { ...access, url: access.url.replace(`:${rig.port}`, `:${box.port}`) },
        { signal: AbortSignal.timeout(5000) },
      ),
      listener.next(),
    ])
    expect([sender.mode, taken.mode]).toEqual(['framed', 'framed'])
    await exchange(sender.stream, taken.stream)
  })

  test('on the way of the listener: both ends fall back to frames', async () => {
    const rig = await rigOf({ tls: false })
    const box = await startMiddlebox(rig.port)
    cleanUps.push(() => box.close())
    const access = rig.access('listen')
    const listener = await listenerOf(rig, {
      access: () =>
        Promise.resolve({
          ...access,
          url: access.url.replace(`:${rig.port}`, `:${box.port}`),
        }),
    })
    const { sender, taken } = await connect(rig, listener)
    expect([sender.mode, taken.mode]).toEqual(['framed', 'framed'])
    await exchange(sender.stream, taken.stream)
  })
})

test('both ends work through an outbound proxy, with TLS', async () => {
  const rig = await rigOf({ tls: true })
  const proxy = await startProxy({ credentials: 'me:too' })
  cleanUps.push(() => proxy.close())
  const dial = {
    ca: rig.ca!,
    proxy: { url: `http://me:too@127.0.0.1:${proxy.port}`, noProxy: [] },
  }
  const listener = await listenerOf(rig, { dial })
  const { sender, taken } = await connect(rig, listener, { dial })
  sender.stream.end('through')
  expect((await readAll(taken.stream)).toString()).toBe('through')
  taken.stream.end()
  await readAll(sender.stream)
  expect(proxy.seen).toEqual(Array.from({ length: 3 }, () => `${rig.host} me:too`))
})

describe('statuses of the relay', () => {
  test.each([
    ['a token for listening', 'listen', 'ERR_RELAY_FORBIDDEN', 'status 403'],
    ['no listener', 'send', 'ERR_RELAY_NO_LISTENER', 'status 404'],
  ] as const)('%s', async (...[, rule, code, why]) => {
    const rig = await rigOf({ tls: false })
    const attempt = dialRendezvous(rig.access(rule), { signal: AbortSignal.timeout(5000) })
    await expect(attempt).rejects.toMatchObject({
      code,
      why: expect.stringContaining(why) as string,
    })
    await expect(attempt).rejects.toThrow(`the relay at ${rig.host} refused to connect`)
  })

  test('an invalid token, a draining relay', async () => {
    const rig = await rigOf({ tls: false })
    const attempt = (token: string) =>
      dialRendezvous({ ...rig.access('send'), token }, { signal: AbortSignal.timeout(5000) })
    await expect(attempt('nonsense')).rejects.toMatchObject({ code: 'ERR_RELAY_TOKEN_INVALID' })
    rig.relay.drain()
    await expect(attempt(rig.token('send'))).rejects.toMatchObject({
      code: 'ERR_RELAY_BUSY',
      retryAfterSeconds: 1,
    })
  })

  test('an abort while waiting for a listener frees the place at the relay', async () => {
    const rig = await rigOf({ tls: false })
    const control = new WebSocket(`${rig.access('listen').url}?sb-hc-action=listen`, {
      headers: { ServiceBusAuthorization: rig.token('listen') },
    })
    await once(control, 'open')
    const abort = new AbortController()
    const attempt = dialRendezvous(rig.access('send'), { signal: abort.signal })
    await once(control, 'message')
    abort.abort()
    await expect(attempt).rejects.toMatchObject({ code: 'ERR_INTERRUPTED' })
    await rig.event('rendezvous-abandoned')
    control.terminate()
  })
})
