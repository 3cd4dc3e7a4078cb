/**
 * Wakes those who wait for a change of this hub: long polls of agents look again at once instead of asking all the time.
 * @module
 */
import { SallyportError, limits } from '@sallyport/protocol'

/** Lives as long as the hub; what changed is read from the store, a wake only says that it is worth looking. */
export class ChangeFeed {
  readonly #waiting = new Set<() => void>()
  readonly #waitersMax: number
  #turn = 0
  #isClosed = false

  constructor(options: { waitersMax?: number } = {}) {
    this.#waitersMax = options.waitersMax ?? limits.feedWaiters
  }

  /** Counts the wakes: read it before the store, hand it to `wait`, and no change in between is slept over. */
  get turn(): number {
    return this.#turn
  }

  /** After `close`: whoever waits in a loop has to leave it. */
  get closed(): boolean {
    return this.#isClosed
  }

  /** Those who wait now. */
  get waiters(): number {
    return this.#waiting.size
  }

  /** To be called after the commit of a change somebody may wait for. Never throws. */
  wake(): void {
    this.#turn += 1
    for (const done of this.#waiting) done()
  }

  /**
   * Resolves at the next wake, after `timeoutMs`, when the signal aborts, and at `close`; at once when there was a wake since
   * `turn` was `seen`.
   * @throws SallyportError ERR_RATE_LIMITED when too many wait already.
   */
  async wait(signal: AbortSignal, timeoutMs: number, seen = this.#turn): Promise<void> {
    if (this.#isClosed || signal.aborted || seen !== this.#turn) return
    if (this.#waiting.size >= this.#waitersMax) {
      throw new SallyportError('ERR_RATE_LIMITED', 'too many wait for changes of this hub', {
        retryAfterSeconds: 5,
      })
    }
    const { promise, resolve } = Promise.withResolvers<undefined>()
    const done = (): void => {
      resolve(undefined)
    }
    const timer = setTimeout(done, timeoutMs)
    signal.addEventListener('abort', done, { once: true })
    this.#waiting.add(done)
    try {
      await promise
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      this.#waiting.delete(done)
    }
  }

  /** Lets everybody go; nobody waits after it. */
  close(): void {
    this.#isClosed = true
    this.wake()
  }
}
