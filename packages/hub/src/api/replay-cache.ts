/**
 * Ids of assertions already used, for as long as they could be used again. In memory: an agent sends its assertion to one hub node
 * over TLS, and what a replay after a restart could do is one more heartbeat.
 * @module
 */
import { limits } from '@sallyport/protocol'

/** What became of an id. */
export type ReplayVerdict = 'fresh' | 'used' | 'too many'

/** Remembers ids by agent. */
export class ReplayCache {
  readonly #used = new Map<string, Map<string, number>>()

  /** Marks `jti` of `agentId` used until `until`; times in Unix milliseconds. */
  use(agentId: string, assertion: { jti: string; until: number; now: number }): ReplayVerdict {
    const ids = this.#used.get(agentId) ?? new Map<string, number>()
    for (const [jti, until] of ids) if (until <= assertion.now) ids.delete(jti)
    // Taken out and put in again: the map's first key is the agent heard longest ago.
    this.#used.delete(agentId)
    const [oldest] = this.#used.keys()
    if (this.#used.size >= limits.relayEntities && oldest !== undefined) this.#used.delete(oldest)
    this.#used.set(agentId, ids)
    if (ids.has(assertion.jti)) return 'used'
    if (ids.size >= limits.agentAssertionsPerAgent) return 'too many'
    ids.set(assertion.jti, assertion.until)
    return 'fresh'
  }
}
