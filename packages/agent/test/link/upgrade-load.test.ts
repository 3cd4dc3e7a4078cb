import { createHash, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { requestLine } from '../rig/exchange.ts'
import type { LocalEnd } from '../rig/local-end.ts'
import { Recorder } from '../rig/recorder.ts'
import { addressOf, makeRig, type Rig } from '../rig/rig.ts'

let recorder: Recorder
let rig: Rig

beforeAll(async () => {
  recorder = await Recorder.start()
  rig = makeRig({ address: addressOf(recorder.port, recorder.certificate) })
})
beforeEach(() => {
  recorder.reset()
})
afterAll(async () => {
  rig.close()
  await recorder.close()
})

const spdySwitch =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n'
const socketKey = 'AAAAAAAAAAAAAAAAAAAAAA=='
const socketAccept = createHash('sha1')
  .update(`${socketKey}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
  .digest('base64')
const webSocketSwitch = `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${socketAccept}\r\nSec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n`
const target = '/api/v1/namespaces/a/pods/p/exec?command=cat'
const spdy = `${requestLine('POST', target)}Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n`
const webSocket = `${requestLine('GET', target)}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${socketKey}\r\nSec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n`

async function upgraded(bytes: string): Promise<LocalEnd> {
  const end = rig.open()
  end.write(bytes)
  await end.until((text) => text.includes('\r\n\r\n'))
  return end
}

test('X124 a client that vanishes while it writes without end: the API server’s side is closed and nothing piles up', async () => {
  recorder.answer = (_, socket) => {
    // Nobody reads: what is written stays on this side.
    socket.pause()
    return spdySwitch
  }
  const before = process.memoryUsage().external
  const end = await upgraded(spdy)
  const chunk = Buffer.alloc(1 << 20)
  for (let written = 0; written < 1024 && end.stream.write(chunk); written++) {
    await new Promise(setImmediate)
  }
  expect(end.stream.writableNeedDrain).toBe(true)
  expect(process.memoryUsage().external - before).toBeLessThan(64 << 20)
  for (const socket of recorder.sockets) socket.resume()
  end.stream.destroy()
  await expect.poll(() => recorder.sockets.size).toBe(0)
})

test('X125 200 forwards at once, each on its own connection, each direction ended by itself; no quota of the agent’s own, by design', async () => {
  recorder.answer = (_, socket) => {
    socket.on('data', (text: string) => {
      if (!text.startsWith('POST ')) socket.write(text.toUpperCase())
    })
    socket.once('end', () => socket.end('last words'))
    return spdySwitch
  }
  const ends = await Promise.all(Array.from({ length: 200 }, () => upgraded(spdy)))
  expect(recorder.connections).toHaveLength(200)
  await Promise.all(
    ends.map(async (end, index) => {
      end.write(`forward ${index};`)
      await end.until((text) => text.includes(`FORWARD ${index};`))
      end.stream.end()
      expect(await end.end()).toMatch(new RegExp(`FORWARD ${index};last words$`))
    }),
  )
  await expect.poll(() => recorder.sockets.size).toBe(0)
})

test.each([
  ['SPDY', spdy, spdySwitch],
  ['WebSocket v5.channel.k8s.io', webSocket, webSocketSwitch],
])('X126 10 MB over %s come back byte for byte', async (_, bytes, answer) => {
  recorder.answer = (__, socket) => {
    socket.on('data', (text: string) => {
      if (!/^(?:GET|POST) \/api/.test(text)) socket.write(Buffer.from(text, 'latin1'))
    })
    return answer
  }
  const end = await upgraded(bytes)
  const head = end.received.length
  const sent = randomBytes(10_000_000)
  end.stream.write(sent)
  await expect.poll(() => end.received.length, { timeout: 20_000 }).toBe(head + sent.length)
  const digest = (data: Buffer): string => createHash('sha256').update(data).digest('hex')
  expect(digest(Buffer.from(end.received.slice(head), 'latin1'))).toBe(digest(sent))
  end.stream.destroy()
})
