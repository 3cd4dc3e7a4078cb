/**
 * The order of writes: SQLite has one writer, so writes wait here for their turn, not inside SQLite where waiting stops the process.
 * @module
 */
import { SallyportError } from '@sallyport/protocol'

/** Limits of a write queue. */
export interface WriteQueueOptions {
  /** Writers that may wait. */
  waiting: number
  /** Longest wait for a turn. */
  timeoutMs: number
}

interface Waiting {
  turn: () => void
  refuse: (reason: Error) => void
}

/** First come, first served; bounded in length and in time. */
export class WriteQueue {
  readonly #options: WriteQueueOptions
  readonly #waiting: Waiting[] = []
  #busy = false
  #closed = false

  constructor(options: WriteQueueOptions) {
    this.#options = options
  }

  /**
   * Resolves when it is the caller's turn; the caller must call `release` exactly once.
   * @throws SallyportError ERR_TIMEOUT when the queue is full or the wait took too long; TypeError when it is closed.
   */
  async acquire(): Promise<void> {
    if (this.#closed) throw closed()
    if (this.#waiting.length >= this.#options.waiting) throw overloaded()
    await this.#enter()
  }

  /** Ends the caller's turn. */
  release(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#busy = false
    else next.turn()
  }

  /** Refuses those who wait and all later ones; resolves when the one whose turn it is has ended, or took too long. */
  async close(): Promise<void> {
    this.#closed = true
    for (const { refuse } of this.#waiting.splice(0)) refuse(closed())
    try {
      await this.#enter()
      this.release()
    } catch {
      // It took too long: what it holds is closed under it.
    }
  }

  async #enter(): Promise<void> {
    if (!this.#busy) {
      this.#busy = true
      return
    }
    const { promise, resolve, reject } = Promise.withResolvers<undefined>()
    const waiting: Waiting = {
      turn: () => {
        resolve(undefined)
      },
      refuse: reject,
    }
    const timer = setTimeout(() => {
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
      reject(overloaded())
    }, this.#options.timeoutMs)
    this.#waiting.push(waiting)
    try {
      await promise
    } finally {
      clearTimeout(timer)
    }
  }
}

function closed(): TypeError {
  return new TypeError('the store is closed')
}

function overloaded(): SallyportError {
  return new SallyportError('ERR_TIMEOUT', 'the store is busy: too many writes wait', {
    retryAfterSeconds: 1,
    remedy: 'try again; nothing was written',
  })
}
