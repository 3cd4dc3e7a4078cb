/**
 * PING with a deadline: finds a peer that is gone although its connection looks open.
 * @module
 */
import type { Http2Session } from 'node:http2'
import { limits } from '@sallyport/protocol'

/** A timer this late shows that the event loop stood still. */
const stalledMs = 500

/** What is watched: `bytesRead` is the transport's count, `streams` decides between the active and the idle interval. */
export interface LivenessTarget {
  session: Http2Session
  bytesRead: () => number
  streams: () => number
  onDead: () => void
}

/** Sends PINGs while the link lives. Both ends run one, so each hears the other's PINGs even when its own wait in a full pipe. */
export class Liveness {
  readonly #target: LivenessTarget
  #nextPing: NodeJS.Timeout | undefined
  #deadline: NodeJS.Timeout | undefined
  #heardBytes = 0
  #heardAt = performance.now()
  #stopped = false

  constructor(target: LivenessTarget) {
    this.#target = target
    this.#schedule()
  }

  /** To be called when the first stream opens: the interval becomes the active one, and a silent peer is asked at once. */
  wake(): void {
    if (this.#stopped) return
    if (performance.now() - this.#heardAt > limits.linkPingActiveMs) this.#ping()
    this.#schedule()
  }

  /** Ends all timers. */
  stop(): void {
    this.#stopped = true
    clearTimeout(this.#nextPing)
    clearTimeout(this.#deadline)
  }

  #schedule(): void {
    clearTimeout(this.#nextPing)
    const { linkPingActiveMs, linkPingIdleMs } = limits
    this.#nextPing = setTimeout(
      () => {
        this.#ping()
        this.#schedule()
      },
      this.#target.streams() > 0 ? linkPingActiveMs : linkPingIdleMs,
    )
  }

  #ping(): void {
    const { session } = this.#target
    if (this.#stopped || session.destroyed) return
    // A PING goes out although an earlier one is open: it is the sign of life the peer waits for. The session bounds their number.
    session.ping((error) => {
      if (error === null) this.#heard()
    })
    this.#deadline ??= this.#expect()
  }

  #expect(): NodeJS.Timeout {
    this.#heardBytes = this.#target.bytesRead()
    const dueAt = performance.now() + limits.linkPingTimeoutMs
    return setTimeout(() => {
      const lateMs = performance.now() - dueAt
      // The timer is due before the answer that may already be in the socket: read first, then judge.
      setImmediate(() => {
        this.#judge(lateMs)
      })
    }, limits.linkPingTimeoutMs)
  }

  #judge(lateMs: number): void {
    if (this.#stopped || this.#deadline === undefined) return
    const isSilent = this.#target.bytesRead() === this.#heardBytes
    // A late timer means this process stood still, perhaps before the PING was even written; that says nothing about the peer.
    if (isSilent && lateMs < stalledMs) {
      this.stop()
      this.#target.onDead()
      return
    }
    if (!isSilent) this.#heardAt = performance.now()
    // Bytes but no answer yet: the PING waits behind a transfer. The peer has to show life again.
    this.#deadline = this.#expect()
  }

  #heard(): void {
    this.#heardAt = performance.now()
    clearTimeout(this.#deadline)
    this.#deadline = undefined
  }
}
