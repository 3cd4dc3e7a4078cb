/**
 * Control channels: token expiry and renewal, liveness, abuse (T-WS-1).
 * @module
 */
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { limits } from '@sallyport/protocol'
import { drain, frame, upgrade } from './raw-client.ts'
import { entity, startRelay, type RelayRig } from './relay-rig.ts'

let rig: RelayRig
let now: number

beforeEach(async () => {
  now = Date.now()
  rig = await startRelay({ now: () => now })
})

afterEach(async () => {
  vi.useRealTimers()
  await rig.close()
})

const fakeTimers = (...more: 'performance'[]): void => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', ...more],
  })
}
const target = `/$hc/${entity}?sb-hc-action=listen`

async function listen(token = rig.token('listen')): Promise<WebSocket> {
  const socket = new WebSocket(`${rig.origin}${target}`, {
    headers: { ServiceBusAuthorization: token },
  })
  socket.on('error', () => undefined)
  await once(socket, 'open')
  return socket
}

const seconds = (more: number): number => Math.floor(now / 1000) + more

describe('the token of a control channel', () => {
  test('its expiry closes the channel with 1008', async () => {
    fakeTimers()
    const socket = await listen(rig.token('listen', entity, seconds(100)))
    const closed = once(socket, 'close')
    now += 100_000
    vi.advanceTimersByTime(100_000)
    const [code] = (await closed) as [number]
    expect(code).toBe(1008)
    expect(await rig.event('listener-closed')).toMatchObject({ durationMs: 100_000 })
  })

  test('a renewed one lasts until its own expiry', async () => {
    fakeTimers()
    const socket = await listen(rig.token('listen', entity, seconds(30)))
    const token = rig.token('listen', entity, seconds(60))
    socket.send(JSON.stringify({ renewToken: { token } }))
    await rig.event('listener-renewed')
    now += 31_000
    vi.advanceTimersByTime(31_000)
    expect(rig.relay.stats().listeners).toBe(1)
    const closed = once(socket, 'close')
    now += 29_000
    vi.advanceTimersByTime(29_000)
    expect(((await closed) as [number])[0]).toBe(1008)
  })

  test.each([
    ['of the wrong right', () => ({ token: rig.token('send') })],
    ['of another path', () => ({ token: rig.token('listen', 'other') })],
    ['that is expired', () => ({ token: rig.token('listen', entity, 1) })],
    ['that is no token', () => ({ token: 'x' })],
    ['that is missing', () => ({})],
    ['that is too long', () => ({ token: 'x'.repeat(5000) })],
  ])('a renewal with one %s closes it with 1008', async (_what, renewToken) => {
    const socket = await listen()
    socket.send(JSON.stringify({ renewToken: renewToken() }))
    const [code] = (await once(socket, 'close')) as [number]
    expect(code).toBe(1008)
  })

  test('an expiry further away than a timer can hold is no expiry now', async () => {
    const socket = await listen(rig.token('listen', entity, 9_999_999_999))
    socket.ping()
    await once(socket, 'pong')
    expect(rig.relay.stats().listeners).toBe(1)
    socket.terminate()
  })
})

describe('liveness', () => {
  test('a peer that answers pings stays, one that is silent for 40 s is cut', async () => {
    fakeTimers('performance')
    const lively = await listen()
    const silent = await upgrade({
      port: rig.port,
      target,
      headers: { ServiceBusAuthorization: rig.token('listen') },
    })
    const cut = drain(silent.socket)
    for (let round = 0; round < 4; round++) {
      const ping = once(lively, 'ping')
      vi.advanceTimersByTime(limits.relayPingIntervalMs)
      await ping
      // The pong is on its way back; the next round must see it.
      lively.ping()
      await once(lively, 'pong')
    }
    await cut
    silent.socket.destroy()
    await vi.waitFor(() => {
      expect(rig.relay.stats().listeners).toBe(1)
    })
    lively.terminate()
  })
})

describe('T-WS-1 abuse of a control channel ends it and nothing else', () => {
  const huge = Buffer.alloc(limits.relayControlMessageBytes + 1, 0x20)
  test.each([
    ['binary data', frame('{}', { first: 0x82 }), 1003],
    ['text that is not JSON', frame('accept me', { first: 0x81 }), 1003],
    ['JSON that is not an object', frame('1', { first: 0x81 }), 1003],
    ['a message over 64 KiB', frame(huge, { first: 0x81 }), 1009],
    ['an announced length of 2^62', frame('', { first: 0x81, length: 2n ** 62n }), 1009],
    ['a length of 2^63', frame('', { first: 0x81, length: 2n ** 63n }), 1009],
    ['compressed data nobody agreed on', frame('x', { first: 0xc1 }), 1002],
    ['an unknown opcode', frame('x', { first: 0x83 }), 1002],
    ['a frame without a mask', frame('{}', { first: 0x81, masked: false }), 1002],
    ['a ping of 16 MiB', frame('', { first: 0x89, length: 2 ** 24 }), 1002],
    ['broken UTF-8', frame(Buffer.from([0x22, 0xff, 0x22]), { first: 0x81 }), 1007],
    ['close code 1005', frame(Buffer.from([3, 237]), { first: 0x88 }), 1002],
    ['close code 0', frame(Buffer.from([0, 0]), { first: 0x88 }), 1002],
    ['close code 5000', frame(Buffer.from([0x13, 0x88]), { first: 0x88 }), 1002],
  ])('%s', async (_what, bytes, code) => {
    const { socket, status } = await upgrade({
      port: rig.port,
      target,
      headers: {
        ServiceBusAuthorization: rig.token('listen'),
        'Sec-WebSocket-Extensions': 'permessage-deflate',
      },
    })
    expect(status).toBe(101)
    const answer = once(socket, 'data') as Promise<[Buffer]>
    socket.resume()
    socket.write(bytes)
    const [close] = await answer
    expect(close[0]).toBe(0x88)
    expect(close.readUInt16BE(2)).toBe(code)
    socket.end()
    await rig.event('listener-closed')
    expect(rig.relay.stats().listeners).toBe(0)
    socket.destroy()
  })

  test('fragments without end', async () => {
    const { socket } = await upgrade({
      port: rig.port,
      target,
      headers: { ServiceBusAuthorization: rig.token('listen') },
    })
    const answer = drain(socket)
    const parts = Buffer.concat(Array.from({ length: 20_000 }, () => frame(' ', { first: 0x00 })))
    socket.write(frame(' ', { first: 0x01 }))
    socket.write(parts)
    const close = await answer
    expect([close[0], close.readUInt16BE(2)]).toEqual([0x88, 1008])
    await rig.event('listener-closed')
    socket.destroy()
  })

  test('messages of other kinds are ignored', async () => {
    const socket = await listen()
    socket.send('{"response":{"requestId":"1"}}')
    socket.send('{"__proto__":{"renewToken":1}}')
    socket.ping()
    await once(socket, 'pong')
    expect(rig.relay.stats().listeners).toBe(1)
    socket.terminate()
  })
})
