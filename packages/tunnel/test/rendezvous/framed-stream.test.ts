/**
 * Bytes in binary messages: abuse (T-WS-1), ends of stream, back-pressure.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { isSallyportError, limits } from '@sallyport/protocol'
import { frame } from '../../../hub/test/relay/raw-client.ts'
import { FramedStream } from '../../src/rendezvous/framed-stream.ts'
import { readAll } from './rendezvous-rig.ts'

let server: Server
let peer: Socket
let stream: FramedStream

beforeEach(async () => {
  server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  const [[accepted]] = (await Promise.all([
    once(server, 'connection'),
    once(socket, 'connect'),
  ])) as [[Socket], unknown]
  peer = accepted
  peer.on('error', () => undefined)
  stream = new FramedStream(socket)
})

afterEach(async () => {
  stream.destroy()
  peer.destroy()
  await new Promise((resolve) => server.close(resolve))
})

/** A frame as the relay sends it. */
const fromRelay = (payload: Buffer | string, first = 0x82, length?: number | bigint): Buffer =>
  frame(payload, { first, masked: false, ...(length === undefined ? {} : { length }) })

const closeFrame = (code: number): Buffer => fromRelay(Buffer.from([code >> 8, code & 255]), 0x88)

/** The error the stream ends with. */
async function failure(): Promise<string | undefined> {
  stream.resume()
  const error = await new Promise((resolve) => stream.once('error', resolve))
  return isSallyportError(error) ? error.code : String(error)
}

describe('T-WS-1 what is not part of the stream ends it', () => {
  test.each([
    ['text', fromRelay('hello', 0x81), 'ERR_RELAY_PROTOCOL'],
    ['a masked frame', frame('x'), 'ERR_RELAY_PROTOCOL'],
    ['a reserved bit', fromRelay('x', 0xc2), 'ERR_RELAY_PROTOCOL'],
    ['an unknown opcode', fromRelay('x', 0x83), 'ERR_RELAY_PROTOCOL'],
    ['a message over 1 MiB', fromRelay('', 0x82, 2 ** 20 + 1), 'ERR_RELAY_PROTOCOL'],
    ['a length of 2^62', fromRelay('', 0x82, 2n ** 62n), 'ERR_RELAY_PROTOCOL'],
    ['a length of 2^63', fromRelay('', 0x82, 2n ** 63n), 'ERR_RELAY_PROTOCOL'],
    ['a ping of 16 MiB', fromRelay('', 0x89, 2 ** 24), 'ERR_RELAY_PROTOCOL'],
    ['data after the end', Buffer.concat([fromRelay(''), fromRelay('x')]), 'ERR_RELAY_PROTOCOL'],
    ['a close before the end', closeFrame(1001), 'ERR_LINK_LOST'],
    ['close code 1005', closeFrame(1005), 'ERR_RELAY_PROTOCOL'],
  ])('%s', async (_what, bytes, code) => {
    peer.write(bytes)
    expect(await failure()).toBe(code)
  })

  test('fragments of one byte without end', async () => {
    peer.write(fromRelay('x', 0x02))
    peer.write(Buffer.concat(Array.from({ length: 20_000 }, () => fromRelay('x', 0x00))))
    expect(await failure()).toBe('ERR_RELAY_PROTOCOL')
  })

  test('a connection that ends or breaks is no end of stream', async () => {
    peer.end()
    expect(await failure()).toBe('ERR_LINK_LOST')
  })
})

test('a message in fragments is the same bytes, and pings in between are answered', async () => {
  const bytes = randomBytes(3000)
  peer.write(fromRelay(bytes.subarray(0, 1000), 0x02))
  peer.write(fromRelay('are you there', 0x89))
  peer.write(fromRelay(bytes.subarray(1000, 2000), 0x00))
  peer.write(fromRelay(bytes.subarray(2000), 0x80))
  peer.write(fromRelay(''))
  const [received, [pong]] = await Promise.all([
    readAll(stream),
    once(peer, 'data') as Promise<[Buffer]>,
  ])
  expect(received.equals(bytes)).toBe(true)
  expect(pong[0]).toBe(0x8a)
})

test('a large write leaves in messages of at most 1 MiB', async () => {
  const sizes: number[] = []
  let left = Buffer.alloc(0)
  const total = 3 * 1024 * 1024 + 5
  peer.on('data', (chunk: Buffer) => {
    left = Buffer.concat([left, chunk])
    while (left.length >= 14) {
      const short = (left[1] ?? 0) & 0x7f
      const size = short === 127 ? Number(left.readBigUInt64BE(2)) : short
      const header = short === 127 ? 14 : 6
      if (left.length < header + size) return
      sizes.push(size)
      left = left.subarray(header + size)
    }
  })
  stream.end(randomBytes(total))
  await once(stream, 'finish')
  await expect.poll(() => sizes.length).toBe(4)
  const most = limits.linkWebSocketMessageBytes
  expect(sizes).toEqual([most, most, most, 5])
})

test('what was received before the end stays readable after the peer has closed', async () => {
  stream.end()
  await once(stream, 'finish')
  peer.write(Buffer.concat([fromRelay('kept'), fromRelay(''), closeFrame(1000)]))
  peer.end()
  await new Promise((resolve) => setImmediate(resolve))
  expect((await readAll(stream)).toString()).toBe('kept')
})

test('an unread stream pauses its socket', async () => {
  peer.on('error', () => undefined)
  const block = fromRelay(Buffer.alloc(500_000))
  let sent = 0
  stream.once('readable', () => undefined)
  for (;;) {
    sent += 1
    expect(sent).toBeLessThan(200)
    if (peer.write(block)) continue
    const quiet = new Promise((resolve) => setTimeout(resolve, 200, true))
    if (await Promise.race([once(peer, 'drain').then(() => false), quiet])) break
  }
  expect(stream.readableLength).toBeLessThan(2 * 1024 * 1024)
})
