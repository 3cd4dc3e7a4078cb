/**
 * A listener's control channel at the relay: liveness, token expiry and renewal.
 * @module
 */
import type { WebSocket } from 'ws'
import {
  hybridConnectionClose,
  limits,
  parser,
  RenewTokenMessageSchema,
  SallyportError,
} from '@sallyport/protocol'

/** What a channel is and whom it asks. `renew` checks a token and returns its expiry in Unix seconds, or throws. */
export interface ListenerChannelOptions {
  path: string
  id: string
  host: string
  expiresAt: number
  now: () => number
  renew: (token: string) => number
  onClosed: (closeCode: number) => void
}

const parseRenewal = parser(RenewTokenMessageSchema, 'renewToken', 'ERR_RELAY_PROTOCOL')
/** RFC 6455 section 7.4.1: a type of data that is not accepted. */
const unsupportedData = 1003
/** A timer holds at most 2^31 - 1 ms; a longer way to the expiry is walked in steps. */
const longestTimerMs = 2 ** 31 - 1

/** Open until the peer, the token or the relay ends it; `onClosed` is called once. */
export class ListenerChannel {
  readonly path: string
  readonly id: string
  /** `host:port` under which this listener reached the relay. */
  readonly host: string
  readonly #socket: WebSocket
  readonly #options: ListenerChannelOptions
  readonly #pings: NodeJS.Timeout
  #expiry: NodeJS.Timeout | undefined
  #forceClose: NodeJS.Timeout | undefined
  #heardAt = performance.now()

  constructor(socket: WebSocket, options: ListenerChannelOptions) {
    this.path = options.path
    this.id = options.id
    this.host = options.host
    this.#socket = socket
    this.#options = options
    this.#pings = setInterval(() => {
      this.#ping()
    }, limits.relayPingIntervalMs)
    this.#expireAt(options.expiresAt)
    this.#listen()
  }

  /** Whether messages can be given to it: open, and its peer reads what it gets. */
  get usable(): boolean {
    return (
      this.#socket.readyState === this.#socket.OPEN &&
      this.#socket.bufferedAmount < limits.relaySpliceBufferBytes
    )
  }

  /** Sends a control message. */
  send(text: string): void {
    this.#socket.send(text, () => undefined)
  }

  /** Closes with a code; a peer that does not answer is cut. */
  close(code: number, reason: string): void {
    this.#socket.close(code, reason)
    this.#cutLater()
  }

  #cutLater(): void {
    this.#forceClose ??= setTimeout(() => {
      this.#socket.terminate()
    }, limits.relayTearDownMs)
  }

  /** Cuts it at once. */
  terminate(): void {
    this.#socket.terminate()
  }

  #listen(): void {
    const socket = this.#socket
    const hear = (): void => {
      this.#heardAt = performance.now()
    }
    socket.on('ping', hear).on('pong', hear).on('message', hear)
    // `ws` has answered with the fitting close code; a peer that breaks the protocol need not answer in turn.
    socket.on('error', () => {
      this.#cutLater()
    })
    socket.on('message', (data: Buffer, isBinary) => {
      this.#onMessage(data, isBinary)
    })
    socket.once('close', (code) => {
      clearInterval(this.#pings)
      clearTimeout(this.#expiry)
      clearTimeout(this.#forceClose)
      this.#options.onClosed(code)
    })
  }

  #onMessage(data: Buffer, isBinary: boolean): void {
    const message = isBinary ? undefined : parseObject(data.toString())
    if (message === undefined) {
      this.close(unsupportedData, 'control messages are JSON text')
      return
    }
    // Unknown members are left to newer versions of the protocol.
    if (!('renewToken' in message)) return
    try {
      this.#expireAt(this.#options.renew(parseRenewal(message).renewToken.token))
    } catch (error) {
      const why = error instanceof SallyportError ? error.message : 'the token is not valid'
      this.close(hybridConnectionClose.tokenExpired, why)
    }
  }

  #expireAt(expiresAt: number): void {
    clearTimeout(this.#expiry)
    const leftMs = expiresAt * 1000 - this.#options.now()
    this.#expiry = setTimeout(
      () => {
        if (this.#options.now() < expiresAt * 1000) this.#expireAt(expiresAt)
        else this.close(hybridConnectionClose.tokenExpired, 'the relay token is expired')
      },
      Math.min(Math.max(leftMs, 0), longestTimerMs),
    )
  }

  #ping(): void {
    if (performance.now() - this.#heardAt > limits.relayPingTimeoutMs) this.terminate()
    else this.#socket.ping(() => undefined)
  }
}

function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
