/**
 * The client side of a WebSocket opening handshake (RFC 6455 section 4.1) that hands out the bare socket.
 * @module
 */
import { createHash, randomBytes } from 'node:crypto'
import { request, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { limits, SallyportError } from '@sallyport/protocol'
import { beforeDeadline } from '../link/deadline.ts'
import { hopName, timedOut, unreachable, type Hop } from './dial-error.ts'
import { dialSocket, portOf, type DialSettings } from './dial-socket.ts'
import { handshakeRefused, type HandshakeAction } from './relay-status.ts'

/** One opening handshake. `timeoutMs` covers dialling and the answer. */
export interface UpgradeRequest {
  url: URL
  action: HandshakeAction
  headers: Record<string, string>
  subprotocols: readonly string[]
  dial: DialSettings
  signal: AbortSignal
  timeoutMs: number
}

/** A socket after the 101; the first bytes behind the 101 are already back in it. */
export interface UpgradedSocket {
  socket: Socket
  subprotocol: string | undefined
}

/** Appended to the key before hashing (RFC 6455 section 1.3). */
const handshakeGuid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/**
 * Dials and upgrades. No extension is offered.
 * @throws SallyportError of the dial, ERR_RELAY_* by status, ERR_RELAY_PROTOCOL, ERR_TIMEOUT, or the abort's; nothing stays open.
 */
export async function dialUpgrade(upgrade: UpgradeRequest): Promise<UpgradedSocket> {
  const { url, signal, timeoutMs } = upgrade
  const startedAt = performance.now()
  const socket = await dialSocket(url, {
    ...upgrade.dial,
    signal,
    timeoutMs: Math.min(limits.dialTimeoutMs, timeoutMs),
  })
  const hop: Hop = { kind: 'relay', at: `${url.hostname}:${portOf(url)}`, target: 'relay' }
  const remainingMs = Math.max(1, timeoutMs - (performance.now() - startedAt))
  try {
    return await beforeDeadline(handshake(socket, hop, upgrade), {
      signal,
      timeoutMs: remainingMs,
      expired: () => timedOut(hop, `the answer to ${upgrade.action}`, timeoutMs),
    })
  } catch (error) {
    socket.on('error', () => undefined)
    socket.destroy()
    throw error
  }
}

function handshake(socket: Socket, hop: Hop, upgrade: UpgradeRequest): Promise<UpgradedSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<UpgradedSocket>()
  const { url, subprotocols } = upgrade
  const key = randomBytes(16).toString('base64')
  const outgoing = request({
    method: 'GET',
    path: `${url.pathname}${url.search}`,
    setHost: false,
    headers: {
      host: url.host,
      ...upgrade.headers,
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': key,
      ...(subprotocols.length === 0 ? {} : { 'sec-websocket-protocol': subprotocols.join(', ') }),
    },
    maxHeaderSize: limits.httpMaxHeaderBytes,
    createConnection: () => socket,
  })
  outgoing.on('upgrade', (response: IncomingMessage, _socket: Socket, head: Buffer) => {
    try {
      const subprotocol = checkAnswer(response, { key, subprotocols, hop })
      if (head.length > 0) socket.unshift(head)
      resolve({ socket, subprotocol })
    } catch (error) {
      reject(error)
    }
  })
  outgoing.on('response', (response: IncomingMessage) => {
    reject(handshakeRefused(response, hop, upgrade.action))
  })
  outgoing.on('error', (error) => {
    reject(unreachable(hop, error))
  })
  outgoing.end()
  return promise
}

/** RFC 6455 section 4.1, checks of the answer. @returns the subprotocol, if any. */
function checkAnswer(
  response: IncomingMessage,
  expected: { key: string; subprotocols: readonly string[]; hop: Hop },
): string | undefined {
  const { headers } = response
  const wrong = (why: string): SallyportError =>
    new SallyportError(
      'ERR_RELAY_PROTOCOL',
      `${hopName(expected.hop)} answered no valid WebSocket handshake`,
      { why },
    )
  if (headers.upgrade?.toLowerCase() !== 'websocket') throw wrong('the Upgrade header is wrong')
  const proof = createHash('sha1').update(`${expected.key}${handshakeGuid}`).digest('base64')
  if (headers['sec-websocket-accept'] !== proof) throw wrong('Sec-WebSocket-Accept is wrong')
  if (headers['sec-websocket-extensions'] !== undefined) {
    throw wrong('it chose an extension that was not offered')
  }
  const subprotocol = headers['sec-websocket-protocol']
  if (subprotocol !== undefined && !expected.subprotocols.includes(subprotocol)) {
    throw wrong('it chose a subprotocol that was not offered')
  }
  return subprotocol
}
