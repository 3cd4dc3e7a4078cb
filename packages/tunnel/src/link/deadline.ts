/**
 * One wait with a deadline and an abort signal.
 * @module
 */
import { isSallyportError, SallyportError } from '@sallyport/protocol'

/** What bounds a wait: `expired` makes the error of the deadline. */
export interface Deadline {
  signal: AbortSignal
  timeoutMs: number
  expired: () => SallyportError
}

/** The error of an aborted wait: the signal's reason when it is one of ours, else ERR_INTERRUPTED. */
export function abortError(signal: AbortSignal): SallyportError {
  const reason: unknown = signal.reason
  return isSallyportError(reason)
    ? reason
    : new SallyportError('ERR_INTERRUPTED', 'interrupted', { cause: reason })
}

/**
 * Settles as `work` does, or rejects at the deadline or abort, whichever is first. The caller then cancels `work`;
 * a late rejection of it is swallowed here, never unhandled.
 */
export async function beforeDeadline<T>(work: Promise<T>, deadline: Deadline): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const { signal } = deadline
  const timer = setTimeout(() => {
    reject(deadline.expired())
  }, deadline.timeoutMs)
  const onAbort = (): void => {
    reject(abortError(signal))
  }
  if (signal.aborted) onAbort()
  else signal.addEventListener('abort', onAbort, { once: true })
  work.catch(() => undefined)
  try {
    return await Promise.race([promise, work])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  }
}
