/**
 * A sender between its request and the answer of a listener.
 * @module
 */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { limits } from '@sallyport/protocol'
import type { RelayRequest } from './relay-request.ts'

/** The handshake as it came. */
export interface SenderHandshake {
  request: IncomingMessage
  parsed: RelayRequest
  key: string
  id: string
  socket: Duplex
  head: Buffer
}

/** Holds the socket: sees that the sender leaves, and keeps what it already sends, up to a bound. */
export class WaitingSender {
  readonly handshake: SenderHandshake
  readonly since: number
  readonly #early: Buffer[] = []
  readonly #stop: () => void
  #earlyBytes = 0

  constructor(
    handshake: SenderHandshake,
    events: { now: number; onGone: () => void; onTimeout: () => void },
  ) {
    this.handshake = handshake
    this.since = events.now
    const { socket, head } = handshake
    const keep = (chunk: Buffer): void => {
      this.#keep(chunk)
    }
    if (head.length > 0) keep(head)
    const gone = (): void => {
      this.#stop()
      socket.destroy()
      events.onGone()
    }
    // Only a socket that is read tells that its peer has gone.
    socket.on('data', keep).once('end', gone).once('close', gone)
    const timer = setTimeout(events.onTimeout, limits.relayRendezvousAddressTtlMs)
    this.#stop = () => {
      clearTimeout(timer)
      socket.off('data', keep).off('end', gone).off('close', gone).pause()
    }
  }

  /** Ends the watch and puts early bytes back into the socket, for whoever reads it next. */
  release(): void {
    this.#stop()
    if (this.#early.length > 0) this.handshake.socket.unshift(Buffer.concat(this.#early))
  }

  #keep(chunk: Buffer): void {
    this.#early.push(chunk)
    this.#earlyBytes += chunk.length
    if (this.#earlyBytes >= limits.relaySpliceHighWaterMarkBytes) this.handshake.socket.pause()
  }
}
