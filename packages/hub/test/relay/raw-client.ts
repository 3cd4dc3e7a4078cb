/**
 * A WebSocket client made of bytes, to say what a library would not.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'

/** Answer of a handshake; `rest` are the bytes that came with it. */
export interface RawAnswer {
  status: number
  reason: string
  headers: Map<string, string>
  socket: Socket
  rest: Buffer
}

/** A handshake; `extra` is sent in the same packet. */
export interface RawHandshake {
  port: number
  /** Path and query. */
  target: string
  headers?: Record<string, string>
  extra?: Buffer
}

/** Sends the handshake and does not wait. */
export function sendHandshake(handshake: RawHandshake): Socket {
  const socket = connect({ port: handshake.port, host: '127.0.0.1', allowHalfOpen: true })
  socket.on('error', () => undefined)
  const headers = {
    Host: `127.0.0.1:${handshake.port}`,
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
    ...handshake.headers,
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  const head = `GET ${handshake.target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`
  socket.write(Buffer.concat([Buffer.from(head), handshake.extra ?? Buffer.alloc(0)]))
  return socket
}

/** Waits for the answer on a socket that sent a handshake. */
export function readAnswer(socket: Socket): Promise<RawAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<RawAnswer>()
  let received = Buffer.alloc(0)
  const onClose = (): void => {
    reject(new Error('closed without an answer'))
  }
  const onData = (chunk: Buffer): void => {
    received = Buffer.concat([received, chunk])
    const end = received.indexOf('\r\n\r\n')
    if (end === -1) return
    socket.off('data', onData).off('close', onClose).pause()
    const [first = '', ...lines] = received.subarray(0, end).toString().split('\r\n')
    const [, status = '', reason = ''] = /^HTTP\/1\.1 (\d{3}) ?(.*)$/.exec(first) ?? []
    const headers = new Map(
      lines.map((line) => {
        const at = line.indexOf(':')
        return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()]
      }),
    )
    resolve({ status: Number(status), reason, headers, socket, rest: received.subarray(end + 4) })
  }
  socket.on('data', onData).once('close', onClose)
  return promise
}

/** Handshake and answer. */
export async function upgrade(handshake: RawHandshake): Promise<RawAnswer> {
  return await readAnswer(sendHandshake(handshake))
}

/** All bytes from here to the end of the socket, by end or close. */
export function drain(socket: Socket): Promise<Buffer> {
  const { promise, resolve } = Promise.withResolvers<Buffer>()
  const chunks: Buffer[] = []
  const done = (): void => {
    resolve(Buffer.concat(chunks))
  }
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.once('end', done).once('close', done)
  socket.resume()
  return promise
}

/** A client frame, masked unless told not to be. */
export function frame(
  payload: Buffer | string,
  options: { first?: number; masked?: boolean; length?: number | bigint } = {},
): Buffer {
  const { first = 0x82, masked = true } = options
  const body = Buffer.from(payload as string)
  const length = options.length ?? body.length
  const maskBit = masked ? 0x80 : 0
  const size = Buffer.alloc(length > 0xffff ? 9 : length > 125 ? 3 : 1)
  size[0] = maskBit | (length > 0xffff ? 127 : length > 125 ? 126 : Number(length))
  if (length > 0xffff) size.writeBigUInt64BE(BigInt(length), 1)
  else if (length > 125) size.writeUInt16BE(Number(length), 1)
  const mask = masked ? randomBytes(4) : Buffer.alloc(0)
  const bytes = masked ? body.map((byte, at) => byte ^ (mask[at & 3] ?? 0)) : body
  return Buffer.concat([Buffer.from([first]), size, mask, bytes])
}
