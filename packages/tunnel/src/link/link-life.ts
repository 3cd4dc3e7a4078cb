/**
 * What both ends of a link share: one HTTP/2 session, its liveness, its streams and its end.
 * @module
 */
import { constants, type Http2Session, type Http2Stream } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import { limits, SallyportError } from '@sallyport/protocol'
import { farewellBytesOf, readFarewell } from './farewell.ts'
import { Liveness } from './liveness.ts'
import { StreamDuplex } from './stream-duplex.ts'
import { StreamWindow } from './stream-window.ts'
import { linkError, type LinkRole } from './stream-error.ts'

/** How a link ended; without `error` it was closed in order. */
export interface LinkEnd {
  error?: SallyportError
}

const lastPossibleStreamId = 2 ** 31 - 1

/** Owns the session and its socket from the handshake to the end. */
export class LinkLife {
  /** Resolves when session and socket are gone; never rejects. */
  readonly closed: Promise<LinkEnd>
  /** Resolves when no new stream can be opened: GOAWAY either way, or the end, then with its error. */
  readonly draining: Promise<LinkEnd>
  readonly #role: LinkRole
  readonly #session: Http2Session
  readonly #socket: TLSSocket
  readonly #liveness: Liveness
  readonly #window: StreamWindow
  #streams = 0
  #error: SallyportError | undefined
  #closedHere = false
  #isDraining = false
  readonly #resolveDraining: (end: LinkEnd) => void
  /** Runs out when the link should have ended in order but the peer keeps the connection. */
  #lastCall: NodeJS.Timeout | undefined

  constructor(role: LinkRole, session: Http2Session, socket: TLSSocket) {
    this.#role = role
    this.#session = session
    this.#socket = socket
    this.#window = new StreamWindow(session)
    this.#liveness = new Liveness({
      session,
      bytesRead: () => socket.bytesRead,
      streams: () => this.#streams,
      onDead: () => {
        this.destroy(
          new SallyportError('ERR_LINK_LOST', 'the peer of the link does not answer', {
            why: `no answer to a PING in ${limits.linkPingTimeoutMs} ms`,
          }),
        )
      },
    })
    const draining = Promise.withResolvers<LinkEnd>()
    this.draining = draining.promise
    this.#resolveDraining = draining.resolve
    const closed = Promise.withResolvers<LinkEnd>()
    this.closed = closed.promise
    session.once('close', () => {
      this.#liveness.stop()
      this.#drain()
      clearTimeout(this.#lastCall)
      socket.destroy()
      closed.resolve(this.#end)
    })
    session.on('error', (error) => {
      if (!this.#closedHere) this.#error ??= linkError(error)
    })
    session.on('goaway', (_code: number, _last: number, debugData?: Uint8Array) => {
      const farewell = role === 'client' ? readFarewell(debugData) : undefined
      if (farewell === undefined) this.#drain()
      else this.destroy(farewell)
    })
    this.#watchSocket(socket)
  }

  /** Streams open now. */
  get streams(): number {
    return this.#streams
  }

  /** False after GOAWAY either way, and after the end. */
  get open(): boolean {
    return !this.#session.closed && !this.#session.destroyed
  }

  /** Counts and wraps a stream of this link. */
  adopt(stream: Http2Stream): StreamDuplex {
    this.#streams += 1
    this.#window.fit(this.#streams)
    stream.once('close', () => {
      this.#streams -= 1
      this.#window.fit(this.#streams)
      if (this.#isDraining) this.#drain()
    })
    if (this.#streams === 1) this.#liveness.wake()
    return new StreamDuplex(stream, this.#role)
  }

  /** GOAWAY, then the end when the last stream is done, at the latest after `gracefulStopMs`. */
  async close(): Promise<void> {
    this.#callLast()
    if (this.#role === 'agent' && this.#streams > 0 && this.open) await this.#announceClose()
    this.#session.close()
    this.#drain()
    await this.closed
  }

  /** Ends the link at once; every stream of it fails with `error`, by default ERR_LINK_LOST. Without `error` the link's own end is in order. */
  destroy(error?: SallyportError): void {
    this.#error ??= error
    this.#closedHere ||= error === undefined
    this.#liveness.stop()
    this.#takeNoMore()
    if (!this.#session.destroyed) {
      // Never without an error: streams of a session that ends without one look finished to their readers.
      this.#session.destroy(
        error ?? new SallyportError('ERR_LINK_LOST', 'the link was closed'),
        error === undefined ? constants.NGHTTP2_NO_ERROR : constants.NGHTTP2_INTERNAL_ERROR,
      )
    }
    // The session waits for its last write; the peer may never take it. One turn lets GOAWAY out where it can go.
    setImmediate(() => this.#socket.destroy())
  }

  /** Ends the link at once and tells the peer why. */
  dismiss(error: SallyportError): void {
    if (this.open) {
      this.#session.goaway(constants.NGHTTP2_NO_ERROR, 0, farewellBytesOf(error))
    }
    this.destroy(error)
  }

  get #end(): LinkEnd {
    return this.#error === undefined ? {} : { error: this.#error }
  }

  /** Says GOAWAY for streams not yet opened, and takes those already under way for one round trip (RFC 9113 section 6.8). */
  #announceClose(): Promise<void> {
    this.#takeNoMore()
    this.#session.goaway(constants.NGHTTP2_NO_ERROR, lastPossibleStreamId)
    return new Promise((resolve) => {
      const sent = this.#session.ping(() => {
        resolve()
      })
      if (!sent) resolve()
    })
  }

  #takeNoMore(): void {
    this.#isDraining = true
    this.#resolveDraining(this.#end)
  }

  /** From here on only open streams keep the link; the peer is not waited for once they are done. */
  #drain(): void {
    this.#takeNoMore()
    if (this.#streams > 0) return
    this.#callLast()
    // Without streams nghttp2 stops reading after GOAWAY, so an answer to the announcement may never come.
    this.#session.close()
  }

  #callLast(): void {
    this.#lastCall ??= setTimeout(() => {
      this.destroy()
    }, limits.gracefulStopMs)
  }

  /** A transport that ends without GOAWAY, or under open streams, is a lost link; node:http2 would call it a cancelled stream. */
  #watchSocket(socket: TLSSocket): void {
    const lost = (cause?: unknown): void => {
      const { closed, destroyed } = this.#session
      if (destroyed || (closed && this.#streams === 0)) return
      this.destroy(
        new SallyportError('ERR_LINK_LOST', 'the peer closed the connection of the link', {
          ...(cause instanceof Error ? { cause } : {}),
        }),
      )
    }
    socket.prependListener('error', lost)
    socket.prependListener('end', lost)
    socket.prependListener('close', lost)
    if (socket.destroyed || socket.readableEnded) lost()
  }
}
