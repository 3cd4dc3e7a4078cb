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
  /** Of the frames that come from this side; none when they are raw bytes. */
  rewriter: FrameRewriter | undefined
  isClosed: boolean
  stop: () => void
}

/** RFC 6455 section 7.4.1: the peer broke the protocol. */
const protocolError = 1002
/** FIN and opcode 8: a close frame. */
const closeOpcode = 0x88
const asIs = (chunk: Buffer): readonly Buffer[] => [chunk]

/** Lives until both sockets are closed. A side that breaks takes the other with it within `relayTearDownMs`. */
export class Splice {
  /** Bytes read from the sender. */
  bytesUp = 0
  /** Bytes read from the listener. */
  bytesDown = 0
  readonly #onClosed: () => void
  readonly #sender: Side
  readonly #listener: Side
  #timer: NodeJS.Timeout | undefined
  #isEnding = false

  constructor(options: SpliceOptions) {
    this.#onClosed = options.onClosed
    this.#sender = newSide(options.sender, options.mode)
    this.#listener = newSide(options.listener, options.mode)
    this.#join(this.#sender, this.#listener, (count) => (this.bytesUp += count))
    this.#join(this.#listener, this.#sender, (count) => (this.bytesDown += count))
  }

  /** Cuts both sides now. */
  destroy(): void {
    this.#sender.socket.destroy()
    this.#listener.socket.destroy()
  }

  #join(from: Side, to: Side, onBytes: (count: number) => void): void {
    const { rewriter, socket } = from
    from.stop = pump({
      from: socket,
      to: to.socket,
      forward: rewriter === undefined ? asIs : (chunk) => this.#rewrite(from, to, chunk),
      onBytes,
    })
    socket.on('end', () => {
      if (rewriter === undefined) to.socket.end()
      // After its close frame the other one's is awaited, within `relayCloseHandshakeMs`.
      else if (!rewriter.closed) this.#lost(from, to)
    })
    socket.on('error', () => {
      this.#lost(from, to)
    })
    socket.on('close', () => {
      from.isClosed = true
      if (!socket.readableEnded || !socket.writableFinished) this.#lost(from, to)
      if (to.isClosed) this.#closed()
    })
  }

  #rewrite(from: Side, to: Side, chunk: Buffer): readonly Buffer[] {
    const { rewriter } = from
    if (rewriter === undefined || rewriter.closed) return []
    const parts = rewriter.rewrite(chunk)
    if (rewriter.failure === undefined) {
      if (rewriter.closed) this.#onCloseFrame(to)
      return parts
    }
    for (const part of parts) to.socket.write(part)
    this.#putClose({ into: from, after: to, code: protocolError })
    this.#putClose({ into: to, after: from, code: hybridConnectionClose.entityGone })
    this.#end()
    return []
  }

  /** Both clients wait for their server to close after the exchange of close frames, and neither is one. */
  #onCloseFrame(other: Side): void {
    if (other.rewriter?.closed === true) {
      // The frame itself is written by the caller, after this returns.
      setImmediate(() => {
        this.#end()
      })
      return
    }
    this.#awaitClose(other)
  }

  /** A slow reader has not seen the close frame yet; only one that has all and says nothing is cut. */
  #awaitClose(other: Side): void {
    if (this.#isEnding) return
    this.#timer = setTimeout(() => {
      if (other.socket.writableLength > 0) this.#awaitClose(other)
      else this.#end()
    }, limits.relayCloseHandshakeMs)
  }

  #lost(from: Side, to: Side): void {
    this.#putClose({ into: to, after: from, code: hybridConnectionClose.entityGone })
    this.#end()
  }

  /** Adds a close frame to what goes from `after` to `into`, where that stands between two frames. */
  #putClose({ into, after, code }: { into: Side; after: Side; code: number }): void {
    const { rewriter } = after
    if (this.#isEnding || rewriter === undefined || rewriter.closed || !rewriter.atBoundary) return
    if (into.socket.writable) {
      into.socket.write(Buffer.from([closeOpcode, 2, code >> 8, code & 0xff]))
    }
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

function newSide(socket: Duplex, mode: SpliceMode): Side {
  const rewriter = mode === 'raw' ? undefined : new FrameRewriter()
  return { socket, rewriter, isClosed: false, stop: () => undefined }
}
