/**
 * Waiting for a condition of another process, which cannot announce it to us.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { ClusterError, messageOf, throwIfAborted } from './error.ts'
import { pollMs } from './limits.ts'

/** What is waited for. */
export interface WaitOptions {
  /** Completes the sentence "… was not there after 30 s". */
  what: string
  timeoutMs: number
  signal?: AbortSignal | undefined
  /** Throws when waiting has become pointless, for example because a component ended. */
  check?: () => void
}

/** Looks until `look` is true (an error counts as "not yet"); the deadline's error tells the last reason. */
export async function waitUntil(
  look: () => Promise<boolean> | boolean,
  options: WaitOptions,
): Promise<void> {
  const end = performance.now() + options.timeoutMs
  for (;;) {
    let reason = ''
    throwIfAborted(options.signal)
    options.check?.()
    try {
      if (await look()) return
    } catch (error) {
      reason = messageOf(error)
    }
    if (performance.now() > end) {
      options.check?.()
      const text = `${options.what} was not there after ${options.timeoutMs / 1000} s`
      throw new ClusterError('ERR_CLUSTER_TIMEOUT', reason === '' ? text : `${text}: ${reason}`)
    }
    await sleep(pollMs)
  }
}
