/**
 * For how long this agent may let people in without hearing from the hub. Counted on a steady clock from the moment the request
 * was sent: an answer that was held back is worth less, never more.
 * @module
 */
import { SallyportError } from '@sallyport/protocol'

/** What a lease is made of. */
export interface LeaseParts {
  /** Steady clock, milliseconds. */
  now: () => number
  /** Wall clock, Unix milliseconds; for messages only. */
  wallNow: () => number
  /** How long live sessions outlive the lease. */
  rideOutMs: number
  /** Hub clock minus ours, when known; for messages only. */
  hubOffsetMs: () => number | undefined
  /** The lease is over: nobody new comes in. */
  onLost: () => void
  /** The ride-out is over too: live sessions end. */
  onCut: () => void
}

const timerMaxMs = 60_000

/** The lease, from the first grant to `close()`. */
export class Lease {
  readonly #parts: LeaseParts
  #until: number | undefined
  #leaseMs = 0
  #heardAt: { steady: number; wall: number } | undefined
  #wasLost = true
  #wasCut = true
  #timer: NodeJS.Timeout | undefined
  #refusedBy: string | undefined

  constructor(parts: LeaseParts) {
    this.#parts = parts
  }

  /** Whether somebody may be let in now. */
  get valid(): boolean {
    return this.#until !== undefined && this.#parts.now() < this.#until
  }

  /** Milliseconds for which live sessions may go on without a lease; 0 while it runs, and once it is over for good. */
  get rideOutLeftMs(): number {
    if (this.#until === undefined || this.valid) return 0
    return Math.max(0, this.#until + this.#parts.rideOutMs - this.#parts.now())
  }

  /** Renews it; `sentAt` on the steady clock. */
  grant(sentAt: number, leaseMs: number): void {
    const { now, wallNow } = this.#parts
    this.#leaseMs = leaseMs
    this.#until = Math.max(this.#until ?? 0, sentAt + leaseMs)
    this.#heardAt = { steady: now(), wall: wallNow() }
    this.#refusedBy = undefined
    this.#wasLost = false
    this.#wasCut = false
    this.#watch()
  }

  /** Ends it at once, ride-out included: the hub said that this is none of its agents. */
  revoke(why: string): void {
    this.#refusedBy = why
    this.#until = undefined
    this.#expire()
  }

  /** Why nobody is let in. */
  refusal(): SallyportError {
    return new SallyportError('ERR_AGENT_LEASE', this.#words())
  }

  close(): void {
    clearTimeout(this.#timer)
  }

  #words(): string {
    if (this.#refusedBy !== undefined) {
      return `the agent lets nobody in: the hub refuses it (${this.#refusedBy})`
    }
    const heard = this.#heardAt
    if (heard === undefined) return 'the agent has not heard from the hub yet'
    const { now, hubOffsetMs } = this.#parts
    const ago = Math.round((now() - heard.steady) / 1000)
    const since = new Date(heard.wall).toISOString()
    const offsetMs = hubOffsetMs() ?? 0
    const hubSince =
      Math.abs(offsetMs) < 2_000
        ? ''
        : `, ${new Date(heard.wall + offsetMs).toISOString()} by the clock of the hub`
    return `the agent has not heard from the hub for ${ago} s (since ${since}${hubSince}); its lease of ${this.#leaseMs / 1000} s is over`
  }

  #watch(): void {
    clearTimeout(this.#timer)
    const { now, rideOutMs } = this.#parts
    const until = this.#until ?? 0
    const next = this.#wasLost ? until + rideOutMs : until
    // A machine that slept wakes up to timers that think they have time left; never look away for long.
    const waitMs = Math.min(Math.max(next - now(), 1), timerMaxMs)
    this.#timer = setTimeout(() => {
      this.#expire()
    }, waitMs)
    this.#timer.unref()
  }

  #expire(): void {
    if (this.valid) {
      this.#watch()
      return
    }
    if (!this.#wasLost) {
      this.#wasLost = true
      this.#parts.onLost()
    }
    if (this.rideOutLeftMs > 0) this.#watch()
    else if (!this.#wasCut) {
      this.#wasCut = true
      this.#parts.onCut()
    }
  }
}
