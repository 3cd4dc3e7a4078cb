/**
 * Tries again what may pass, for as long as the agent runs.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { isSallyportError, SallyportError } from '@sallyport/protocol'
import { BackOff } from '@sallyport/tunnel'

/** Repeats `attempt` with back-off while its error is retryable (or not one of ours: the network's). @throws the first permanent error, or the abort. */
export async function retry<T>(
  attempt: () => Promise<T>,
  options: { signal: AbortSignal; onRetry: (error: SallyportError, inMs: number) => void },
): Promise<T> {
  const backOff = new BackOff()
  for (;;) {
    options.signal.throwIfAborted()
    try {
      return await attempt()
    } catch (cause) {
      options.signal.throwIfAborted()
      const error = isSallyportError(cause)
        ? cause
        : new SallyportError('ERR_INTERNAL', 'the attempt failed', { cause })
      if (!error.entry.retryable) throw error
      const after = error.retryAfterSeconds
      const inMs = backOff.next(after === undefined ? undefined : after * 1000)
      options.onRetry(error, inMs)
      await sleep(inMs, undefined, { signal: options.signal })
    }
  }
}
