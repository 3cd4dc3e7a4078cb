/**
 * When cluster-token keys change: by age, when an administrator says so, at once when one was stolen. A new key signs as soon as
 * every connected agent says that it pins it, at the latest when no agent that does not has a lease any more.
 * @module
 */
import { limits } from '@sallyport/protocol'
import type { ChangeFeed } from '../registry/change-feed.ts'
import { connectedInstances } from '../registry/presence.ts'
import { revoke } from '../registry/revocations.ts'
import type { Store } from '../store/store.ts'
import type { ClusterKeys } from './cluster-keys.ts'

/** What the rotation is made of. */
export interface KeyRotationParts {
  keys: ClusterKeys
  store: Store
  changes: ChangeFeed
  leaseMs: number
  onProblem: (error: unknown) => void
  now: () => number
}

/** Looks after the keys from `start()` to `close()`. */
export class KeyRotation {
  readonly #parts: KeyRotationParts
  /** Which keys each agent process said it pins. */
  readonly #pinned = new Map<string, ReadonlySet<string>>()
  #timer: NodeJS.Timeout | undefined
  #stepping: Promise<void> = Promise.resolve()

  constructor(parts: KeyRotationParts) {
    this.#parts = parts
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#step()
    }, limits.clusterTokenKeyCheckMs)
  }

  /** Resolves when nothing is written any more. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#stepping
  }

  /** An agent process said which keys it pins. */
  heard(instance: string, keyIds: readonly string[]): void {
    const { next } = this.#parts.keys
    // Only who confirms the coming key matters, and only while there is one.
    if (next === undefined) this.#pinned.clear()
    else if (this.#pinned.size < limits.relayEntities || this.#pinned.has(instance)) {
      const isNew = !(this.#pinned.get(instance)?.has(next.kid) ?? false)
      this.#pinned.set(instance, new Set(keyIds))
      if (isNew && keyIds.includes(next.kid)) this.#step()
    }
  }

  /**
   * Begins a rotation. With `retire: 'now'` the old keys are worth nothing from here on, and everybody needs a new token.
   * @returns the id of the new key.
   */
  async rotate(retire?: 'now'): Promise<string> {
    const { keys, store, changes, now } = this.#parts
    let kid: string
    if (retire === 'now') {
      kid = await keys.retireNow()
      const details = { reason: 'keyRetired', now: now() }
      await store.transaction((trx) => revoke(trx, { kind: 'all' }, details))
    } else kid = await keys.announce()
    changes.wake()
    this.#step()
    return kid
  }

  /** Does what is due. */
  async step(): Promise<void> {
    const { keys, changes } = this.#parts
    if (keys.isDue && keys.next === undefined) {
      await keys.announce()
      changes.wake()
    }
    if (keys.next !== undefined && (await this.#mayActivate(keys.next))) await keys.activate()
    if (await keys.dropOld()) changes.wake()
  }

  #step(): void {
    this.#stepping = this.#stepping.then(() => this.step()).catch(this.#parts.onProblem)
  }

  async #mayActivate(next: { kid: string; announcedAt: number }): Promise<boolean> {
    const { store, leaseMs, now } = this.#parts
    if (next.announcedAt + leaseMs + limits.clusterTokenSkewMs <= now()) return true
    const connected = await connectedInstances(store.db, now())
    return connected.every((instance) => this.#pinned.get(instance)?.has(next.kid) ?? false)
  }
}
