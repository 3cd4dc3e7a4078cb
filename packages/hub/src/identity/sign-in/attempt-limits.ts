/**
 * How often passwords may be tried: by address, by account, and by both, so that nobody locks somebody else out from afar with a few
 * tries.
 * @module
 */
import { limits } from '@sallyport/protocol'
import { createRateLimit } from '../rate-limit.ts'

/** One attempt. */
export interface Attempt {
  address: string
  account: string
}

/** Counts attempts. */
export interface AttemptLimits {
  /** Counts one; when it is one too many: seconds until the next may come. */
  take: (attempt: Attempt) => number | undefined
  /** It was the right password: what was counted before is forgiven. */
  succeeded: (attempt: Attempt) => void
}

/** Makes the limits. */
export function createAttemptLimits(now: () => number): AttemptLimits {
  const limit = (perMinute: number) =>
    createRateLimit({ perMinute, keys: limits.tokenRateKeys, now })
  const byAddress = limit(limits.signInsPerMinutePerAddress)
  const byAccount = limit(limits.signInsPerMinutePerAccount)
  const byBoth = limit(limits.signInsPerMinutePerAccountAndAddress)
  const both = ({ address, account }: Attempt): string => `${address} ${account}`
  return {
    take: (attempt) =>
      byAddress.take(attempt.address) ??
      byBoth.take(both(attempt)) ??
      byAccount.take(attempt.account),
    succeeded: (attempt) => {
      byBoth.clear(both(attempt))
      byAccount.clear(attempt.account)
    },
  }
}
