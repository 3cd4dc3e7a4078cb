/**
 * Whether a verified token may be used here and now: the lease, what the hub revoked, the keys it retired, the feature itself.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { SallyportError, limits, type FeedClaims } from '@sallyport/protocol'
import type { Lease } from './lease.ts'
import type { PinnedKeys } from './pinned-keys.ts'
import type { Revocations, Standing } from './revocations.ts'

/** A token as far as it decides, and the key that signed it. */
export interface Bearer extends Standing {
  kid: string
}

/** What the registry of sessions asks. */
export interface Admission {
  /** Waits shortly for the hub's latest word, at least up to number `rev`. @throws SallyportError ERR_AGENT_LEASE. */
  ready(rev: number): Promise<void>
  /** Why somebody must not come in, or must not stay. */
  problem(bearer: Bearer, what: 'enter' | 'stay'): SallyportError | undefined
  /** For how long a session without a fresh token may stay: while the hub is away and ride-out is configured. */
  rideOutLeftMs(): number
}

/** Feature without which no session opens. */
const clusterConnect = 'cluster-connect'

/** The rules of a running agent. */
export class FeedAdmission implements Admission {
  readonly #lease: Lease
  readonly #revocations: Revocations
  readonly #keys: PinnedKeys
  readonly #waiting = new Set<() => void>()
  #isDisabled = false

  constructor(parts: { lease: Lease; revocations: Revocations; keys: PinnedKeys }) {
    this.#lease = parts.lease
    this.#revocations = parts.revocations
    this.#keys = parts.keys
  }

  /** Takes what a statement says beside revocations; those who wait for it look again. */
  heard({ disabledFeatures }: Pick<FeedClaims, 'disabledFeatures'>): void {
    this.#isDisabled = disabledFeatures.includes(clusterConnect)
    for (const look of this.#waiting) look()
  }

  async ready(rev: number): Promise<void> {
    if (this.#knows(rev)) return
    if (this.#waiting.size < limits.linksPerAgent) await this.#wait(rev)
    if (!this.#lease.valid) throw this.#lease.refusal()
    if (!this.#knows(rev)) {
      throw new SallyportError('ERR_AGENT_LEASE', 'the agent waits for the latest word of the hub')
    }
  }

  problem(bearer: Bearer, what: 'enter' | 'stay'): SallyportError | undefined {
    if (this.#isDisabled) {
      return new SallyportError('ERR_FORBIDDEN', 'cluster connect is switched off for this cluster')
    }
    if (this.#revocations.covers(bearer) || this.#keys.get(bearer.kid) === undefined) {
      return new SallyportError('ERR_SESSION_STALE', 'the hub ended or changed this session')
    }
    if (this.#lease.valid || (what === 'stay' && this.#lease.rideOutLeftMs > 0)) return undefined
    return this.#lease.refusal()
  }

  rideOutLeftMs(): number {
    return this.#lease.rideOutLeftMs
  }

  #knows(rev: number): boolean {
    return this.#lease.valid && (this.#revocations.seq ?? -1) >= rev
  }

  async #wait(rev: number): Promise<void> {
    const over = new AbortController()
    const look = (): void => {
      if (this.#knows(rev)) over.abort()
    }
    this.#waiting.add(look)
    await sleep(limits.revocationCatchUpMs, undefined, { signal: over.signal }).catch(
      () => undefined,
    )
    this.#waiting.delete(look)
  }
}
