/**
 * One CONNECT stream as a Duplex that `node:http` and `pipe` can use like a socket.
 * @module
 */
import { constants, type Http2Stream } from 'node:http2'
import { Duplex } from 'node:stream'
import { isSallyportError } from '@sallyport/protocol'
import { linkError, resetCode, resetError, type LinkRole } from './stream-error.ts'

type WriteCallback = (error?: Error | null) => void

/**
 * Wraps an Http2Stream. Strings become Buffers here: an Http2Stream that is given a latin1 string can send uninitialised memory
 * (seen with `http.Server` on Node 20). Half-close is END_STREAM, both ways; a reset destroys with a SallyportError.
 */
export class StreamDuplex extends Duplex {
  readonly #stream: Http2Stream
  readonly #role: LinkRole
  /** Callback of the write that waits for the peer's window. */
  #pending: WriteCallback | undefined
  #peerClosed = false

  constructor(stream: Http2Stream, role: LinkRole) {
    super({ allowHalfOpen: true })
    this.#stream = stream
    this.#role = role
    stream.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) stream.pause()
    })
    stream.pause()
    stream.on('end', () => this.push(null))
    stream.on('drain', () => {
      this.#flushed()
    })
    stream.on('error', (error) => {
      this.#fail(error)
    })
    stream.on('close', () => {
      this.#onClose()
    })
    stream.on('timeout', () => this.emit('timeout'))
  }

  /** Called by `node:http`; the idle time counts bytes in both directions, as on a socket. */
  setTimeout(timeoutMs: number, onTimeout?: () => void): this {
    if (onTimeout !== undefined) this.once('timeout', onTimeout)
    if (!this.#stream.destroyed) this.#stream.setTimeout(timeoutMs)
    return this
  }

  /** Called by `node:http` after the last response: sends what is queued, then closes. */
  destroySoon(): void {
    if (this.writable) this.end()
    if (this.writableFinished) this.destroy()
    else this.once('finish', () => this.destroy())
  }

  /** Called by `node:http`; the link has no Nagle algorithm. */
  setNoDelay(): this {
    return this
  }

  /** Called by `node:http`; the link has its own liveness. */
  setKeepAlive(): this {
    return this
  }

  /** Called by `node:http`; the link, not the stream, keeps the process alive. */
  ref(): this {
    return this
  }

  /** See `ref`. */
  unref(): this {
    return this
  }

  override _read(): void {
    if (!this.#stream.destroyed) this.#stream.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: WriteCallback): void {
    this.#sent(this.#peerClosed || this.#stream.write(chunk), done)
  }

  override _writev(chunks: { chunk: Buffer }[], done: WriteCallback): void {
    if (this.#peerClosed) {
      done()
      return
    }
    let room = true
    this.#stream.cork()
    for (const { chunk } of chunks) room = this.#stream.write(chunk)
    this.#stream.uncork()
    this.#sent(room, done)
  }

  override _final(done: WriteCallback): void {
    if (this.#stream.closed || this.#stream.destroyed) done()
    else {
      this.#stream.end(() => {
        done()
      })
    }
  }

  override _destroy(error: Error | null, done: WriteCallback): void {
    const stream = this.#stream
    const unsent = this.writableLength + stream.writableLength > 0
    // As on a socket, `destroy()` with nothing unsent is an end in order; `node:http` does so with idle connections. The peer
    // keeps what it has (RFC 9113 section 8.1).
    if (error === null && !unsent) stream.close(constants.NGHTTP2_NO_ERROR)
    else if (!stream.closed) {
      // `close` first ends the writable half, and the peer would take a broken stream for a finished one.
      stream._final = (ended) => {
        ended()
      }
      stream.close(resetCode(this.#role, error))
    }
    // Nobody reads any more; without this the stream keeps its unread bytes and never ends.
    stream.resume()
    this.#flushed()
    done(error)
  }

  #sent(room: boolean, done: WriteCallback): void {
    if (room) done()
    else this.#pending = done
  }

  #flushed(): void {
    const done = this.#pending
    this.#pending = undefined
    done?.()
  }

  #fail(error: unknown): void {
    const { rstCode } = this.#stream
    const isReset = !isSallyportError(error) && rstCode !== constants.NGHTTP2_NO_ERROR
    this.destroy(isReset ? resetError(rstCode) : linkError(error))
  }

  #onClose(): void {
    this.#peerClosed = true
    this.#flushed()
    const { rstCode } = this.#stream
    if (rstCode !== constants.NGHTTP2_NO_ERROR) {
      this.destroy(resetError(rstCode))
    } else if (this.readableEnded) {
      this.destroy()
    } else {
      // What the peer sent before it closed is still to be read.
      this.once('end', () => this.destroy())
      this.push(null)
    }
  }
}
