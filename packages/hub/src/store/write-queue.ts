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

/** First come, first served; bounded in length and in time. */
export class WriteQueue {
  readonly #options: WriteQueueOptions
  readonly #waiting: (() => void)[] = []
  #busy = false

  constructor(options: WriteQueueOptions) {
    this.#options = options
  }

  /**
   * Resolves when it is the caller's turn; the caller must call `release` exactly once.
   * @throws SallyportError ERR_TIMEOUT when the queue is full or the wait took too long.
   */
  async acquire(): Promise<void> {
    if (!this.#busy) {
      this.#busy = true
      return
    }
    if (this.#waiting.length >= this.#options.waiting) throw overloaded()
    await new Promise<void>((resolve, reject) => {
      const turn = (): void => {
        clearTimeout(timer)
        resolve()
      }
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(turn), 1)
        reject(overloaded())
      }, this.#options.timeoutMs)
      this.#waiting.push(turn)
    })
  }

  /** Ends the caller's turn. */
  release(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#busy = false
    else next()
  }
}

function overloaded(): SallyportError {
  return new SallyportError('ERR_TIMEOUT', 'the store is busy: too many writes wait', {
    retryAfterSeconds: 1,
    remedy: 'try again; nothing was written',
  })
}
