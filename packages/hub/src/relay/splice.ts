/**
 * Two sockets become one connection: raw bytes, or WebSocket frames between two clients.
 * @module
 */
import type { Duplex } from 'node:stream'
import { hybridConnectionClose, limits } from '@sallyport/protocol'
import { FrameRewriter } from './frame-rewriter.ts'
import { pump } from './pump.ts'
import type { SpliceMode } from './relay-event.ts'

/** The two sides, already past their 101, and who hears of the end (once). */
export interface SpliceOptions {
  sender: Duplex
  listener: Duplex
  mode: SpliceMode
  onClosed: () => void
}

/** One side and the direction that starts at it. */
interface Side {
  socket: Duplex
  rewriter: FrameRewriter
  isClosed: boolean
  stop: () => void
}

/** RFC 6455 section 7.4.1: the peer broke the protocol. */
const protocolError = 1002

/** Lives until both sockets are closed. A side that breaks takes the other with it within `relayTearDownMs`. */
export class Splice {
  /** Bytes read from the sender. */
  bytesUp = 0
  /** Bytes read from the listener. */
  bytesDown = 0
  readonly #mode: SpliceMode
  readonly #onClosed: () => void
  readonly #sender: Side
  readonly #listener: Side
  #timer: NodeJS.Timeout | undefined
  #isEnding = false

  constructor(options: SpliceOptions) {
    this.#mode = options.mode
    this.#onClosed = options.onClosed
    this.#sender = newSide(options.sender)
    this.#listener = newSide(options.listener)
    this.#join(this.#sender, this.#listener, (count) => (this.bytesUp += count))
    this.#join(this.#listener, this.#sender, (count) => (this.bytesDown += count))
  }

  /** Cuts both sides now. */
  destroy(): void {
    this.#sender.socket.destroy()
    this.#listener.socket.destroy()
  }

  #join(from: Side, to: Side, onBytes: (count: number) => void): void {
    const isRaw = this.#mode === 'raw'
    from.stop = pump({
      from: from.socket,
      to: to.socket,
      forward: isRaw ? (chunk) => [chunk] : (chunk) => this.#rewrite(from, to, chunk),
      onBytes,
    })
    from.socket.on('end', () => {
      if (isRaw) to.socket.end()
      // After its close frame the other one's is awaited, within `relayCloseHandshakeMs`.
      else if (!from.rewriter.closed) this.#lost(from, to)
    })
    from.socket.on('error', () => {
      this.#lost(from, to)
    })
    from.socket.on('close', () => {
      from.isClosed = true
      const isComplete = from.socket.readableEnded && from.socket.writableFinished
      if (!isComplete) this.#lost(from, to)
      if (to.isClosed) this.#closed()
    })
  }

  #rewrite(from: Side, to: Side, chunk: Buffer): readonly Buffer[] {
    if (from.rewriter.closed) return []
    const parts = from.rewriter.rewrite(chunk)
    if (from.rewriter.failure === undefined) {
      if (from.rewriter.closed) this.#onCloseFrame(to)
      return parts
    }
    for (const part of parts) to.socket.write(part)
    this.#putClose({ into: from, flow: to.rewriter, code: protocolError })
    this.#putClose({ into: to, flow: from.rewriter, code: hybridConnectionClose.entityGone })
    this.#end()
    return []
  }

  /** Both clients wait for their server to close after the exchange of close frames, and neither is one. */
  #onCloseFrame(other: Side): void {
    if (other.rewriter.closed) {
      // The frame itself is written by the caller, after this returns.
      setImmediate(() => {
        this.#end()
      })
      return
    }
    this.#timer ??= setTimeout(() => {
      this.#end()
    }, limits.relayCloseHandshakeMs)
  }

  #lost(from: Side, to: Side): void {
    if (this.#mode === 'frames' && !from.rewriter.closed) {
      this.#putClose({ into: to, flow: from.rewriter, code: hybridConnectionClose.entityGone })
    }
    this.#end()
  }

  /** Adds a close frame where `flow` leaves room for one. */
  #putClose({ into, flow, code }: { into: Side; flow: FrameRewriter; code: number }): void {
    if (this.#isEnding || !into.socket.writable || !flow.atBoundary || flow.closed) return
    into.socket.write(Buffer.from([0x88, 2, code >> 8, code & 0xff]))
  }

  /** Sends what is queued, then cuts. */
  #end(): void {
    if (this.#isEnding) return
    this.#isEnding = true
    clearTimeout(this.#timer)
    for (const { socket, stop } of [this.#sender, this.#listener]) {
      stop()
      socket.end()
      // The peer's own end is still to be seen; its bytes have no receiver any more.
      socket.resume()
    }
    this.#timer = setTimeout(() => {
      this.destroy()
    }, limits.relayTearDownMs)
  }

  #closed(): void {
    clearTimeout(this.#timer)
    this.#isEnding = true
    this.#onClosed()
  }
}

function newSide(socket: Duplex): Side {
  return { socket, rewriter: new FrameRewriter(), isClosed: false, stop: () => undefined }
}
