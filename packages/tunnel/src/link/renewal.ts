/**
 * Keeps a live link bound: a fresh cluster token before the old one runs out.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { limits, type SallyportCredential } from '@sallyport/protocol'
import type { ClientLink } from './client-link.ts'
import { asSallyportError } from './connect-link.ts'

/** A credential and when it came, on the monotonic clock. */
export interface HeldCredential {
  credential: SallyportCredential
  fetchedAt: number
}

/** Milliseconds from now to the renewal. Counted on the hub's clock only, so a wrong clock here renews neither late nor all the time. */
export function renewInMs({ credential, fetchedAt }: HeldCredential): number {
  const lifetimeMs = (credential.clusterTokenExpiresAt - credential.serverTime) * 1000
  const waitMs = Math.max(lifetimeMs - limits.clusterTokenRenewBeforeMs, lifetimeMs / 2)
  return Math.max(waitMs - (performance.now() - fetchedAt), limits.reconnectMinMs)
}

/**
 * Renews until the signal aborts (then it resolves) or the hub or agent refuses for good (then it rejects with that error).
 * Transient failures are tried again until the agent ends the link.
 */
export async function keepRenewed(
  link: ClientLink,
  first: HeldCredential,
  options: {
    fetch: (signal: AbortSignal) => Promise<HeldCredential>
    signal: AbortSignal
  },
): Promise<void> {
  const { signal } = options
  let held = first
  try {
    for (;;) {
      await sleep(renewInMs(held), undefined, { signal })
      held = await renewOnce(link, held, options)
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

async function renewOnce(
  link: ClientLink,
  held: HeldCredential,
  options: { fetch: (signal: AbortSignal) => Promise<HeldCredential>; signal: AbortSignal },
): Promise<HeldCredential> {
  try {
    const fresh = await options.fetch(options.signal)
    await link.bind(fresh.credential.clusterToken, options.signal)
    return fresh
  } catch (cause) {
    const error = asSallyportError(cause)
    if (!error.entry.retryable) throw error
    await sleep(limits.dialTimeoutMs, undefined, { signal: options.signal })
    return held
  }
}
