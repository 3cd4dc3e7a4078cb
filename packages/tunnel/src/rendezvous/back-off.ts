/**
 * How long to wait before the next attempt.
 * @module
 */
import { limits } from '@sallyport/protocol'

/** Bounds and source of chance of a back-off; `random` is in [0, 1). */
export interface BackOffOptions {
  minMs?: number
  maxMs?: number
  random?: () => number
}

/** Exponential with full jitter: after a restart of the relay its agents come back spread out, not in waves. */
export class BackOff {
  readonly #minMs: number
  readonly #maxMs: number
  readonly #random: () => number
  #attempts = 0

  constructor(options: BackOffOptions = {}) {
    this.#minMs = options.minMs ?? limits.reconnectMinMs
    this.#maxMs = options.maxMs ?? limits.reconnectMaxMs
    this.#random = options.random ?? Math.random
  }

  /**
   * Milliseconds to wait now: chosen evenly between the minimum and a ceiling that doubles with each call.
   * @param retryAfterMs What the other side asked for; never less than that is waited, up to `reconnectRetryAfterMaxMs`.
   */
  next(retryAfterMs?: number): number {
    this.#attempts += 1
    const ceiling = Math.min(this.#maxMs, this.#minMs * 2 ** Math.min(this.#attempts, 32))
    const waitMs = this.#minMs + this.#random() * Math.max(0, ceiling - this.#minMs)
    const asked = Math.min(retryAfterMs ?? 0, limits.reconnectRetryAfterMaxMs)
    return Math.round(Math.max(waitMs, asked))
  }

  /** To be called when an attempt has proved good. */
  reset(): void {
    this.#attempts = 0
  }
}
