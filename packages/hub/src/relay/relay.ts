/**
 * The relay: brings senders and listeners together by the Azure Relay Hybrid Connections protocol and splices their sockets.
 * @module
 */
import { randomUUID } from 'node:crypto'
import { STATUS_CODES, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type WebSocket } from 'ws'
import {
  hybridConnectionClose,
  isSallyportError,
  limits,
  rawSubprotocol,
  SallyportError,
} from '@sallyport/protocol'
import { authorise, type SasRule } from './authorise.ts'
import { Entities } from './entities.ts'
import { agreedSubprotocol, handshakeKey, writeRefusal, writeSwitching } from './handshake.ts'
import { ListenerChannel } from './listener-channel.ts'
import { Lobby } from './lobby.ts'
import type { RelayEvent } from './relay-event.ts'
import { isRelayPath, parseRelayRequest, type RelayRequest } from './relay-request.ts'
import { Splice } from './splice.ts'
import type { SenderHandshake, WaitingSender } from './waiting-sender.ts'

/** Settings of a relay. `publicHost` (`host:port`) goes into accept addresses of listeners whose own Host header is of no use. */
export interface RelayOptions {
  rules: SasRule[]
  publicHost: () => string
  scheme?: 'wss' | 'ws'
  now?: () => number
  random?: () => number
  onEvent?: (event: RelayEvent) => void
}

/** Counts at one moment; bytes are totals since the start, up is from the sender to the listener. */
export interface RelayStats {
  listeners: number
  entities: number
  waiting: number
  rendezvous: number
  bytesUp: number
  bytesDown: number
}

/** An upgrade on its way. */
interface Upgrade {
  request: IncomingMessage
  parsed: RelayRequest
  key: string
  socket: Duplex
  head: Buffer
}

/** Serves upgrades until `close()`. The server its sockets come from need not allow half-open ones. */
export class Relay {
  readonly #options: Required<Omit<RelayOptions, 'onEvent'>>
  readonly #onEvent: (event: RelayEvent) => void
  readonly #entities = new Entities<ListenerChannel>()
  readonly #splices = new Set<Splice>()
  readonly #lobby: Lobby
  readonly #webSockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: limits.relayControlMessageBytes,
  })
  #finished = { bytesUp: 0, bytesDown: 0 }
  #isDraining = false
  #isClosing = false
  readonly #empty = Promise.withResolvers<undefined>()

  constructor(options: RelayOptions) {
    const { onEvent = () => undefined, ...rest } = options
    this.#options = { scheme: 'wss', now: Date.now, random: Math.random, ...rest }
    this.#onEvent = onEvent
    this.#lobby = new Lobby({
      scheme: this.#options.scheme,
      now: this.#options.now,
      random: this.#options.random,
      listenersOf: (path) => this.#entities.find(path),
      refuse: ({ socket }, error) => {
        this.#refuse(socket, error)
      },
      onAbandoned: ({ parsed, id }) => {
        this.#onEvent({ type: 'rendezvous-abandoned', path: parsed.path, id })
      },
    })
  }

  /** Takes an upgrade on `/$hc/…` and answers it; returns false for every other path and leaves the socket alone. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    if (!isRelayPath(request.url)) return false
    socket.on('error', () => socket.destroy())
    // Here, not at the server: there it would keep connections that ended within their TLS handshake.
    socket.allowHalfOpen = true
    // A peer that vanished without a word is found by the system, also on an idle splice.
    request.socket.setKeepAlive(true, limits.relayPingIntervalMs).setTimeout(0)
    try {
      const parsed = parseRelayRequest(request)
      const upgrade = { request, parsed, key: handshakeKey(request), socket, head }
      if (parsed.action === 'accept') this.#accept(upgrade)
      else if (this.#isDraining) throw draining()
      else if (parsed.action === 'listen') this.#listen(upgrade)
      else this.#connect(upgrade)
    } catch (error) {
      this.#refuse(socket, error)
    }
    return true
  }

  /** Counts of this moment. */
  stats(): RelayStats {
    let { bytesUp, bytesDown } = this.#finished
    for (const splice of this.#splices) {
      bytesUp += splice.bytesUp
      bytesDown += splice.bytesDown
    }
    return {
      listeners: this.#entities.listeners,
      entities: this.#entities.count,
      waiting: this.#lobby.size,
      rendezvous: this.#splices.size,
      bytesUp,
      bytesDown,
    }
  }

  /** Takes no new listeners and senders and sends the listeners away; what is spliced or about to be goes on. */
  drain(): void {
    this.#isDraining = true
    for (const listener of this.#entities.all()) {
      listener.close(hybridConnectionClose.entityGone, 'the relay is going away')
    }
  }

  /** Ends everything; resolves when all sockets are closed, at most `relayTearDownMs` later. */
  async close(): Promise<void> {
    this.#isClosing = true
    this.drain()
    this.#lobby.clear(draining())
    for (const splice of this.#splices) splice.destroy()
    this.#checkEmpty()
    await this.#empty.promise
  }

  #listen({ request, parsed, socket, head }: Upgrade): void {
    const { path } = parsed
    const expiresAt = this.#authorise('Listen', parsed.token, parsed)
    this.#entities.checkRoom(path)
    const id = parsed.id ?? randomUUID()
    const { remoteAddress = '' } = request.socket
    const since = this.#options.now()
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket: WebSocket) => {
      const channel = new ListenerChannel(webSocket, {
        path,
        id,
        host: parsed.host ?? this.#options.publicHost(),
        expiresAt,
        now: this.#options.now,
        renew: (token) => {
          const renewedUntil = this.#authorise('Listen', token, parsed)
          this.#onEvent({ type: 'listener-renewed', path, id })
          return renewedUntil
        },
        onClosed: (closeCode) => {
          this.#entities.remove(path, channel)
          // While draining its senders keep their address: the listener may still come for them.
          if (!this.#isDraining) this.#lobby.listenerGone(channel)
          const durationMs = this.#options.now() - since
          this.#onEvent({ type: 'listener-closed', path, id, closeCode, durationMs })
          this.#checkEmpty()
        },
      })
      this.#entities.add(path, channel)
      this.#onEvent({ type: 'listener-open', path, id, remoteAddress })
    })
  }

  #connect({ request, parsed, key, socket, head }: Upgrade): void {
    this.#authorise('Send', parsed.token, parsed)
    if (this.#lobby.size + this.#splices.size >= limits.relayRendezvous) {
      throw new SallyportError('ERR_RELAY_BUSY', 'the relay is at its limit of connections', {
        retryAfterSeconds: 1,
      })
    }
    this.#lobby.enter({ request, parsed, key, id: parsed.id ?? randomUUID(), socket, head })
  }

  #accept(listener: Upgrade): void {
    const sender = this.#lobby.take(listener.parsed.id ?? '')
    if (sender === undefined) {
      throw new SallyportError(
        'ERR_RELAY_RENDEZVOUS_EXPIRED',
        'this address was used before, is too old, or its sender has left',
      )
    }
    const { rejection } = listener.parsed
    if (rejection === undefined) this.#splice(sender, listener)
    else this.#reject(sender.handshake, listener.socket, rejection)
  }

  #splice({ handshake, since }: WaitingSender, listener: Upgrade): void {
    const { id, parsed, request, socket, key } = handshake
    const subprotocol = agreedSubprotocol(request, listener.request)
    const mode = subprotocol === rawSubprotocol ? 'raw' : 'frames'
    writeSwitching(listener.socket, { key: listener.key, subprotocol })
    writeSwitching(socket, { key, subprotocol })
    if (listener.head.length > 0) listener.socket.unshift(listener.head)
    const openedAt = this.#options.now()
    const splice = new Splice({
      sender: socket,
      listener: listener.socket,
      mode,
      onClosed: () => {
        this.#onSpliceClosed(splice, { path: parsed.path, id, openedAt })
      },
    })
    this.#splices.add(splice)
    const waitedMs = openedAt - since
    this.#onEvent({ type: 'rendezvous-open', path: parsed.path, id, mode, waitedMs })
  }

  #onSpliceClosed(splice: Splice, about: { path: string; id: string; openedAt: number }): void {
    const { bytesUp, bytesDown } = splice
    this.#splices.delete(splice)
    this.#finished.bytesUp += bytesUp
    this.#finished.bytesDown += bytesDown
    const { path, id, openedAt } = about
    const durationMs = this.#options.now() - openedAt
    this.#onEvent({ type: 'rendezvous-closed', path, id, bytesUp, bytesDown, durationMs })
    this.#checkEmpty()
  }

  /** The listener's own handshake fails with 410, as published; the sender gets the listener's words. */
  #reject(
    { socket, parsed, id }: SenderHandshake,
    listener: Duplex,
    rejection: { status: string; description: string },
  ): void {
    const status = /^[45]\d\d$/.test(rejection.status) ? Number(rejection.status) : 502
    const reason = rejection.description || (STATUS_CODES[status] ?? 'Rejected')
    writeRefusal(socket, { status, reason: `${reason}; TrackingId:${randomUUID()}` })
    writeRefusal(listener, { status: 410, reason: `Gone; TrackingId:${randomUUID()}` })
    this.#onEvent({ type: 'rendezvous-rejected', path: parsed.path, id, status })
  }

  #authorise(right: 'Listen' | 'Send', token: string | undefined, parsed: RelayRequest): number {
    const { rules, publicHost, now } = this.#options
    const hosts = parsed.host === undefined ? [publicHost()] : [parsed.host, publicHost()]
    return authorise(token, rules, { right, path: parsed.path, hosts, nowMs: now() })
  }

  #refuse(socket: Duplex, error: unknown): void {
    const known = isSallyportError(error)
      ? error
      : new SallyportError('ERR_INTERNAL', 'the relay failed', { cause: error })
    const { status } = known.entry
    const why = known.why === undefined ? known.message : `${known.message}: ${known.why}`
    const trackingId = randomUUID()
    writeRefusal(socket, {
      status,
      reason: `${why}; TrackingId:${trackingId}`,
      retryAfterSeconds: known.retryAfterSeconds,
    })
    this.#onEvent({ type: 'refused', code: known.code, status, why, trackingId })
  }

  #checkEmpty(): void {
    const isEmpty = this.#splices.size === 0 && this.#entities.listeners === 0
    if (this.#isClosing && isEmpty) this.#empty.resolve(undefined)
  }
}

const draining = (): SallyportError =>
  new SallyportError('ERR_RELAY_BUSY', 'the relay is going away', { retryAfterSeconds: 1 })
