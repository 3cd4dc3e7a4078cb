/**
 * Spliced sockets: no byte lost, half-close, back-pressure, faults, leaks.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { limits, rawSubprotocol, type AcceptMessage } from '@sallyport/protocol'
import { drain, frame, readAnswer, sendHandshake, upgrade } from './raw-client.ts'
import { entity, startRelay, type RelayRig } from './relay-rig.ts'

let rig: RelayRig
let control: WebSocket
let announced: AcceptMessage['accept'][]

beforeEach(async () => {
  rig = await startRelay()
  announced = []
  control = new WebSocket(`${rig.origin}/$hc/${entity}?sb-hc-action=listen`, {
    headers: { ServiceBusAuthorization: rig.token('listen') },
  })
  control.on('message', (data: Buffer) => {
    announced.push((JSON.parse(data.toString()) as AcceptMessage).accept)
    control.emit('announced')
  })
  await once(control, 'open')
})

afterEach(async () => {
  vi.useRealTimers()
  control.terminate()
  await rig.close()
})

interface Pair {
  sender: Socket
  listener: Socket
  senderRest: Buffer
  listenerRest: Buffer
}

/** Both sides as bare sockets; `early` bytes are in the same packet as the handshakes. */
async function pair(
  protocol: string | undefined,
  early: { sender?: Buffer; listener?: Buffer } = {},
): Promise<Pair> {
  const headers = protocol === undefined ? {} : { 'Sec-WebSocket-Protocol': protocol }
  const sender = sendHandshake({
    port: rig.port,
    target: `/$hc/${entity}?sb-hc-action=connect`,
    headers: { ServiceBusAuthorization: rig.token('send'), ...headers },
    ...(early.sender === undefined ? {} : { extra: early.sender }),
  })
  if (announced.length === 0) await once(control, 'announced')
  const { address } = announced.shift()!
  const [listener, answer] = await Promise.all([
    upgrade({
      port: rig.port,
      target: address.slice(rig.origin.length),
      headers,
      ...(early.listener === undefined ? {} : { extra: early.listener }),
    }),
    readAnswer(sender),
  ])
  expect([listener.status, answer.status]).toEqual([101, 101])
  expect(answer.headers.get('sec-websocket-protocol')).toBe(protocol)
  return { sender, listener: listener.socket, senderRest: answer.rest, listenerRest: listener.rest }
}

/** Reads until `wanted` bytes are there. */
async function take(
  socket: Socket,
  wanted: number,
  first: Buffer = Buffer.alloc(0),
): Promise<Buffer> {
  let bytes = first
  while (bytes.length < wanted) {
    socket.resume()
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    bytes = Buffer.concat([bytes, chunk])
  }
  socket.pause()
  return bytes
}

const serverEnds = (): Socket[] => [...rig.sockets]

test('T-LEAK 200 rendezvous, a third of them broken in some way, leave nothing behind', async () => {
  const count = (): number =>
    process
      .getActiveResourcesInfo()
      .filter((kind) => kind === 'Timeout' || kind === 'TCPSocketWrap').length
  const before = { handles: count(), sockets: rig.sockets.size }
  for (let round = 0; round < 200; round++) {
    const way = round % 6
    if (way === 4) {
      const gone = sendHandshake({
        port: rig.port,
        target: `/$hc/${entity}?sb-hc-action=connect`,
        headers: { ServiceBusAuthorization: rig.token('send') },
      })
      await once(control, 'announced')
      announced.length = 0
      gone.destroy()
      continue
    }
    const { sender, listener } = await pair(way % 2 === 0 ? rawSubprotocol : undefined)
    sender.write(frame('some bytes'))
    if (way === 3) sender.resetAndDestroy()
    else if (way === 5) listener.destroy()
    else {
      sender.end()
      listener.end()
    }
    await Promise.all([drain(sender), drain(listener)])
    sender.destroy()
    listener.destroy()
  }
  // Not `waitFor`: its own timers would be counted.
  while (rig.relay.stats().rendezvous > 0 || count() > before.handles) {
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(rig.relay.stats()).toMatchObject({ rendezvous: 0, waiting: 0, listeners: 1 })
  expect(rig.sockets.size).toBe(before.sockets)
})

describe('raw bytes', () => {
  test('what comes in one packet with the handshake is not lost, on either side', async () => {
    const up = randomBytes(10_000)
    const down = randomBytes(10_000)
    const ends = await pair(rawSubprotocol, { sender: up, listener: down })
    expect((await take(ends.listener, up.length, ends.listenerRest)).equals(up)).toBe(true)
    expect((await take(ends.sender, down.length, ends.senderRest)).equals(down)).toBe(true)
  })

  test('each end of stream passes on its own, and both together end the rendezvous', async () => {
    const { sender, listener } = await pair(rawSubprotocol)
    sender.end('last words')
    expect((await drain(listener)).toString()).toBe('last words')
    listener.write('still ')
    expect((await take(sender, 6)).toString()).toBe('still ')
    expect(rig.relay.stats().rendezvous).toBe(1)
    listener.end('here')
    expect((await drain(sender)).toString()).toBe('here')
    expect(await rig.event('rendezvous-closed')).toMatchObject({ bytesUp: 10, bytesDown: 10 })
    expect(rig.relay.stats()).toMatchObject({ rendezvous: 0, bytesUp: 10, bytesDown: 10 })
  })

  test.each(['sender', 'listener'] as const)(
    'a reset of the %s ends both within 1 s',
    async (side) => {
      const ends = await pair(rawSubprotocol)
      const other = side === 'sender' ? ends.listener : ends.sender
      const startedAt = performance.now()
      ends[side].resetAndDestroy()
      await drain(other)
      await rig.event('rendezvous-closed')
      expect(performance.now() - startedAt).toBeLessThan(limits.relayTearDownMs + 500)
      expect(rig.relay.stats().rendezvous).toBe(0)
    },
  )

  test('a reader that does not read stalls the writer, and the relay holds a bounded amount', async () => {
    const { sender, listener } = await pair(rawSubprotocol)
    listener.pause()
    const block = Buffer.alloc(256 * 1024, 7)
    let written = 0
    const isStalled = async (): Promise<boolean> => {
      const drained = once(sender, 'drain').then(() => false)
      const quiet = new Promise<boolean>((resolve) => setTimeout(resolve, 300, true))
      return await Promise.race([drained, quiet])
    }
    for (;;) {
      written += block.length
      if (!sender.write(block) && (await isStalled())) break
      expect(written).toBeLessThan(64 * 1024 * 1024)
    }
    const held = serverEnds().map(({ writableLength }) => writableLength)
    expect(Math.max(...held)).toBeGreaterThan(0)
    // One turn may overshoot by what the kernel hands over in one read.
    expect(Math.max(...held)).toBeLessThanOrEqual(limits.relaySpliceBufferBytes + 64 * 1024)
    sender.end()
    const all = await drain(listener)
    expect(all.length).toBe(written)
  })
})

describe('frames between clients', () => {
  test('frames in one packet with the handshake are not lost, on either side', async () => {
    const ends = await pair(undefined, { sender: frame('up'), listener: frame('down') })
    const toListener = await take(ends.listener, 4, ends.listenerRest)
    const toSender = await take(ends.sender, 6, ends.senderRest)
    expect(toListener).toEqual(frame('up', { masked: false }))
    expect(toSender).toEqual(frame('down', { masked: false }))
  })

  test('a side that goes without a close frame is 1001 for the other', async () => {
    const { sender, listener } = await pair(undefined)
    sender.end(frame('half', { length: 4 }))
    const bytes = await drain(listener)
    expect(bytes).toEqual(
      Buffer.concat([
        frame('half', { masked: false }),
        frame(Buffer.from([1001 >> 8, 1001 & 255]), { first: 0x88, masked: false }),
      ]),
    )
    await drain(sender)
    listener.destroy()
    await rig.event('rendezvous-closed')
  })

  test('in the middle of a frame no close frame is put', async () => {
    const { sender, listener } = await pair(undefined)
    sender.end(frame('abc', { length: 1000 }))
    expect((await drain(listener)).toString('latin1').endsWith('abc')).toBe(true)
  })

  test.each([
    ['an unknown opcode', frame('', { first: 0x83 })],
    ['a reserved bit', frame('a', { first: 0xc2 })],
    ['a frame without a mask', frame('a', { masked: false })],
    ['a 64-bit length out of range', frame('', { length: 2n ** 63n })],
    ['a control frame of 16 MiB', frame('', { first: 0x89, length: 2 ** 24 })],
  ])('T-WS-1 %s: 1002 for who sent it, 1001 for the other, both are closed', async (_what, bad) => {
    const { sender, listener } = await pair(undefined)
    const [toSender, toListener] = [drain(sender), drain(listener)]
    listener.write(Buffer.concat([frame('ok'), bad]))
    const close = (code: number): Buffer =>
      frame(Buffer.from([code >> 8, code & 255]), { first: 0x88, masked: false })
    expect(await toListener).toEqual(close(1002))
    expect(await toSender).toEqual(Buffer.concat([frame('ok', { masked: false }), close(1001)]))
    sender.destroy()
    listener.destroy()
    await rig.event('rendezvous-closed')
    expect(rig.relay.stats().listeners).toBe(1)
  })

  test('T-WS-1 a million fragments of one byte pass in bounded memory', async () => {
    const { sender, listener } = await pair(undefined)
    const received = drain(listener)
    const part = frame('x', { first: 0x00 })
    const block = Buffer.concat(Array.from({ length: 10_000 }, () => part))
    let highest = 0
    for (let sent = 0; sent < 100; sent++) {
      if (!sender.write(block)) await once(sender, 'drain')
      highest = Math.max(highest, ...serverEnds().map(({ writableLength }) => writableLength))
    }
    sender.end()
    expect((await received).length).toBe(1_000_000 * 3 + 4)
    expect(highest).toBeLessThanOrEqual(limits.relaySpliceBufferBytes + 64 * 1024)
  })

  test('after both close frames the relay closes, as a server does; an unanswered one is bounded', async () => {
    const first = await pair(undefined)
    const close = frame(Buffer.from([3, 232]), { first: 0x88 })
    const [toSender, toListener] = [drain(first.sender), drain(first.listener)]
    first.sender.write(close)
    first.listener.write(close)
    expect((await toListener).length).toBe(4)
    expect((await toSender).length).toBe(4)
    first.sender.destroy()
    first.listener.destroy()
    await rig.event('rendezvous-closed')
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const second = await pair(undefined)
    second.sender.write(close)
    await take(second.listener, 4)
    const ended = drain(second.listener)
    vi.advanceTimersByTime(limits.relayCloseHandshakeMs)
    await ended
    vi.useRealTimers()
    second.sender.destroy()
    second.listener.destroy()
  })
})
