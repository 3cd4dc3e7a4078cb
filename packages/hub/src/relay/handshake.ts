/**
 * The answers of opening handshakes, written on upgrade sockets.
 * @module
 */
import { createHash } from 'node:crypto'
import { STATUS_CODES, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { limits, SallyportError } from '@sallyport/protocol'

/** Appended to the key before hashing (RFC 6455 section 1.3). */
const handshakeGuid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** The key of a valid handshake. @throws SallyportError ERR_RELAY_PROTOCOL (RFC 6455 section 4.2.1). */
export function handshakeKey(request: IncomingMessage): string {
  const { headers, method } = request
  const key = headers['sec-websocket-key']
  const version = headers['sec-websocket-version']
  const isValid =
    method === 'GET' &&
    headers.upgrade?.toLowerCase() === 'websocket' &&
    (version === '13' || version === '8') &&
    key !== undefined &&
    /^[+/0-9A-Za-z]{22}==$/.test(key)
  if (isValid) return key
  throw new SallyportError(
    'ERR_RELAY_PROTOCOL',
    'the request is malformed: it is no WebSocket handshake',
  )
}

/** Answers 101; extensions are never taken, so an offered compression is simply not used. */
export function writeSwitching(
  socket: Duplex,
  answer: { key: string; subprotocol: string | undefined },
): void {
  const proof = createHash('sha1').update(`${answer.key}${handshakeGuid}`).digest('base64')
  writeHead(socket, 'HTTP/1.1 101 Switching Protocols', {
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Accept': proof,
    ...(answer.subprotocol === undefined ? {} : { 'Sec-WebSocket-Protocol': answer.subprotocol }),
  })
}

/** An answer that ends the handshake. */
export interface Refusal {
  status: number
  reason: string
  retryAfterSeconds?: number | undefined
}

/** Answers a refusal and closes, also when the peer neither reads nor closes. */
export function writeRefusal(socket: Duplex, refusal: Refusal): void {
  if (socket.destroyed) return
  const reason = printable(refusal.reason) || (STATUS_CODES[refusal.status] ?? 'Refused')
  const { retryAfterSeconds } = refusal
  writeHead(socket, `HTTP/1.1 ${refusal.status} ${reason}`, {
    Connection: 'close',
    'Content-Length': '0',
    ...(retryAfterSeconds === undefined ? {} : { 'Retry-After': String(retryAfterSeconds) }),
  })
  socket.end()
  // Unread bytes at close would become a reset that overtakes the answer.
  socket.resume()
  const timer = setTimeout(() => socket.destroy(), limits.relayTearDownMs)
  socket.once('close', () => {
    clearTimeout(timer)
  })
}

/** The first subprotocol of the listener's that the sender offered too. */
export function agreedSubprotocol(
  sender: IncomingMessage,
  listener: IncomingMessage,
): string | undefined {
  const offered = subprotocols(sender)
  return subprotocols(listener).find((name) => offered.includes(name))
}

function subprotocols(request: IncomingMessage): string[] {
  const header = request.headers['sec-websocket-protocol'] ?? ''
  return header
    .split(',')
    .map((name) => name.trim())
    .filter((name) => /^[!#$%&'*+.^_`|~0-9a-z-]{1,128}$/i.test(name))
}

function writeHead(socket: Duplex, status: string, headers: Record<string, string>): void {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  socket.write(`${[status, ...lines].join('\r\n')}\r\n\r\n`)
}

/** Text of the other side may stand in a status line: nothing in it may end the line. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 256)
}
