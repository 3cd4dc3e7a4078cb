/**
 * A byte stream in binary WebSocket messages, client role; the fallback where raw bytes cannot pass.
 * @module
 */
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { hybridConnectionClose, limits, SallyportError } from '@sallyport/protocol'
import { Receiver, Sender, type FrameReceiver, type FrameSender } from './ws-parts.ts'

type Done = (error?: Error | null) => void

const binary = { binary: true, mask: true, fin: true, compress: false } as const
/** RFC 6455 section 7.4.1: a type of data that is not accepted. */
const unsupportedData = 1003
const endOfStream = Buffer.alloc(0)

/** Bytes are binary messages, the end of one direction is an empty one, the other direction goes on. Text is refused. */
export class FramedStream extends Duplex {
  readonly #socket: Socket
  readonly #receiver: FrameReceiver
  readonly #sender: FrameSender
  #waiting: Done | undefined
  #gotEnd = false
  #sentEnd = false
  #sentClose = false

  /** Takes over an upgraded socket whose frames it alone reads and writes. */
  constructor(socket: Socket) {
    super({ allowHalfOpen: true })
    this.#socket = socket
    this.#sender = new Sender(socket)
    this.#receiver = new Receiver({
      isServer: false,
      maxPayload: limits.linkWebSocketMessageBytes,
      // As many parts as a message can have when each is at least one byte is far too many (CVE-2026-48779).
      maxFragments: 1024,
      maxBufferedChunks: 1024,
    })
    this.#sender.onerror = (error) => this.destroy(error)
    this.#listenToReceiver()
    this.#listenToSocket()
  }

  override _read(): void {
    this.#socket.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.#send(chunk)
    this.#whenFlushed(done)
  }

  override _writev(chunks: { chunk: Buffer }[], done: Done): void {
    this.#socket.cork()
    for (const { chunk } of chunks) this.#send(chunk)
    this.#socket.uncork()
    this.#whenFlushed(done)
  }

  override _final(done: Done): void {
    this.#sentEnd = true
    if (!this.#canSend()) done()
    // Finished means that all left this process: the close that follows must not overtake it.
    else {
      this.#sender.send(endOfStream, binary, () => {
        done()
      })
    }
  }

  override _destroy(error: Error | null, done: Done): void {
    const socket = this.#socket
    const { listenerClosed, entityGone, internal } = hybridConnectionClose
    const isComplete = this.#gotEnd && this.#sentEnd
    this.#close(error === null ? (isComplete ? listenerClosed : entityGone) : internal)
    this.#flushed()
    if (!socket.destroyed) {
      socket.end()
      // Nobody reads any more, and the peer's end must be seen for the socket to close by itself.
      socket.removeAllListeners('data').resume()
      const timer = setTimeout(() => socket.destroy(), limits.relayTearDownMs)
      socket.once('close', () => {
        clearTimeout(timer)
      })
    }
    done(error)
  }

  #listenToSocket(): void {
    const socket = this.#socket
    socket.on('data', (chunk: Buffer) => {
      this.#receiver.write(chunk)
    })
    socket.pause()
    socket.on('drain', () => {
      this.#flushed()
    })
    socket.on('error', (error) => this.destroy(error))
    socket.on('end', () => {
      this.#lost('the connection ended without a close message')
    })
    socket.on('close', () => {
      this.#lost('the connection closed')
    })
  }

  #listenToReceiver(): void {
    const receiver = this.#receiver
    receiver.on('message', (data, isBinary) => {
      this.#onMessage(data, isBinary)
    })
    receiver.on('ping', (data) => {
      if (this.#canSend()) this.#sender.pong(data, true)
    })
    receiver.on('conclude', (code) => {
      this.#lost(`close code ${code}`)
    })
    receiver.on('error', (cause) => {
      this.destroy(
        new SallyportError('ERR_RELAY_PROTOCOL', 'the relay sent broken WebSocket frames', {
          cause,
        }),
      )
    })
  }

  #onMessage(data: Buffer, isBinary: boolean): void {
    if (this.destroyed) return
    if (!isBinary || this.#gotEnd) {
      this.#close(unsupportedData)
      this.destroy(
        new SallyportError('ERR_RELAY_PROTOCOL', 'the peer sent what is not part of the stream'),
      )
      return
    }
    if (data.length === 0) {
      this.#gotEnd = true
      this.push(null)
      // From here nobody asks for more, yet the closing of the relay is to be seen.
      this.#socket.resume()
    } else if (!this.push(data)) {
      this.#socket.pause()
    }
  }

  /** After both ends of stream nothing is lost: what is still unread stays readable. */
  #lost(why: string): void {
    this.#flushed()
    if (this.destroyed || (this.#gotEnd && this.#sentEnd)) return
    this.destroy(
      new SallyportError('ERR_LINK_LOST', 'the rendezvous broke before its end', { why }),
    )
  }

  #send(chunk: Buffer): void {
    const most = limits.linkWebSocketMessageBytes
    for (let at = 0; at < chunk.length && this.#canSend(); at += most) {
      this.#sender.send(chunk.subarray(at, at + most), binary)
    }
  }

  #canSend(): boolean {
    return this.#socket.writable && !this.#sentClose
  }

  #close(code: number): void {
    if (!this.#canSend()) return
    this.#sentClose = true
    this.#sender.close(code, undefined, true)
  }

  #whenFlushed(done: Done): void {
    if (this.#socket.writableNeedDrain && !this.#socket.destroyed) this.#waiting = done
    else done()
  }

  #flushed(): void {
    const done = this.#waiting
    this.#waiting = undefined
    done?.()
  }
}
