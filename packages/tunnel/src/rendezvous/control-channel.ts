/**
 * The listener's control channel to a relay: one WebSocket, from its handshake to its end.
 * @module
 */
import type { IncomingMessage } from 'node:http'
import { WebSocket } from 'ws'
import {
  AcceptMessageSchema,
  hybridConnection,
  hybridConnectionClose,
  limits,
  parser,
  SallyportError,
  type AcceptMessage,
} from '@sallyport/protocol'
import { beforeDeadline } from '../link/deadline.ts'
import { hopName, timedOut, unreachable, type Hop } from './dial-error.ts'
import { actionUrl } from './dial-rendezvous.ts'
import { dialSocket, portOf, type DialSettings } from './dial-socket.ts'
import { handshakeRefused } from './relay-status.ts'

/** What one channel needs; `onAccept` gets each sender that waits. */
export interface ControlChannelOptions {
  url: string
  token: string
  dial: DialSettings
  signal: AbortSignal
  onAccept: (accept: AcceptMessage['accept']) => void
}

/** An open channel; `ended` resolves with the reason, never rejects. */
export interface ControlChannel {
  renewToken(token: string): void
  close(): void
  readonly ended: Promise<SallyportError>
}

const parseAccept = parser(AcceptMessageSchema, 'control message', 'ERR_RELAY_PROTOCOL')
/** RFC 6455 section 7.4.1: a type of data that is not accepted. */
const unsupportedData = 1003

/**
 * Opens the channel within `dialTimeoutMs` for the dial and as long again for the handshake.
 * @throws SallyportError as `dialRendezvous`.
 */
export async function openControlChannel(options: ControlChannelOptions): Promise<ControlChannel> {
  const url = actionUrl(options.url, { action: 'listen' })
  const hop: Hop = { kind: 'relay', at: `${url.hostname}:${portOf(url)}`, target: 'relay' }
  const socket = await dialSocket(url, { ...options.dial, signal: options.signal })
  const webSocket = new WebSocket(url, [], {
    createConnection: () => socket,
    headers: { [hybridConnection.tokenHeader]: options.token },
    perMessageDeflate: false,
    maxPayload: limits.relayControlMessageBytes,
  })
  // Watched from the start: the first messages may come in one packet with the 101.
  const channel = watch(webSocket, hop, options)
  try {
    await beforeDeadline(opened(webSocket, hop), {
      signal: options.signal,
      timeoutMs: limits.dialTimeoutMs,
      expired: () => timedOut(hop, 'the answer to listen', limits.dialTimeoutMs),
    })
  } catch (error) {
    webSocket.terminate()
    socket.destroy()
    throw error
  }
  return channel
}

function opened(webSocket: WebSocket, hop: Hop): Promise<undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>()
  webSocket.once('open', () => {
    resolve(undefined)
  })
  webSocket.once('unexpected-response', (_request, response: IncomingMessage) => {
    reject(handshakeRefused(response, hop, 'listen'))
  })
  webSocket.once('error', (error) => {
    reject(unreachable(hop, error))
  })
  return promise
}

function watch(
  webSocket: WebSocket,
  hop: Hop,
  { onAccept, signal }: ControlChannelOptions,
): ControlChannel {
  const { promise: ended, resolve } = Promise.withResolvers<SallyportError>()
  let isSilent = false
  const stopLiveness = keepAlive(webSocket, () => {
    isSilent = true
    webSocket.terminate()
  })
  let forceClose: NodeJS.Timeout | undefined
  const close = (): void => {
    webSocket.close(hybridConnectionClose.listenerClosed)
    forceClose ??= setTimeout(() => {
      webSocket.terminate()
    }, limits.relayTearDownMs)
  }
  signal.addEventListener('abort', close, { once: true })
  // Errors are reported by `close`, which follows each of them; without a listener they would be thrown.
  webSocket.on('error', () => undefined)
  webSocket.on('message', (data: Buffer, isBinary) => {
    try {
      const message: unknown = isBinary ? undefined : JSON.parse(data.toString())
      // Messages of other kinds (`request`) belong to parts of the protocol that are not served here.
      if (typeof message === 'object' && message !== null && 'accept' in message) {
        onAccept(parseAccept(message).accept)
      }
    } catch {
      webSocket.close(unsupportedData)
    }
  })
  webSocket.on('close', (code) => {
    stopLiveness()
    clearTimeout(forceClose)
    signal.removeEventListener('abort', close)
    resolve(
      isSilent ? timedOut(hop, 'a ping or pong', limits.relayPingTimeoutMs) : closedBy(hop, code),
    )
  })
  return {
    renewToken: (token) => {
      webSocket.send(JSON.stringify({ renewToken: { token } }), () => undefined)
    },
    close,
    ended,
  }
}

function closedBy(hop: Hop, code: number): SallyportError {
  return new SallyportError('ERR_RELAY_UNREACHABLE', `${hopName(hop)} closed the control channel`, {
    why: `close code ${code}`,
  })
}

/** Pings in intervals and calls `onDead` when nothing was heard for `relayPingTimeoutMs`. @returns the stop. */
function keepAlive(webSocket: WebSocket, onDead: () => void): () => void {
  let heardAt = performance.now()
  const hear = (): void => {
    heardAt = performance.now()
  }
  webSocket.on('ping', hear).on('pong', hear).on('message', hear)
  const timer = setInterval(() => {
    if (performance.now() - heardAt > limits.relayPingTimeoutMs) onDead()
    else if (webSocket.readyState === webSocket.OPEN) webSocket.ping()
  }, limits.relayPingIntervalMs)
  return () => {
    clearInterval(timer)
  }
}
