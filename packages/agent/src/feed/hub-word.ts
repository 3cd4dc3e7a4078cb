/**
 * What the hub says to one running agent, put together: keys, revocations, lease, the loop that hears them, the rules they make.
 * @module
 */
import {
  clusterAudience,
  type AgentState,
  type FeedClaims,
  type SallyportError,
} from '@sallyport/protocol'
import type { Logger } from 'pino'
import type { HubApi } from '../enrolment/hub-api.ts'
import { FeedAdmission } from './admission.ts'
import { FeedLoop } from './feed-loop.ts'
import { Lease } from './lease.ts'
import { PinnedKeys, type KeySet } from './pinned-keys.ts'
import { Revocations } from './revocations.ts'
import { steadyNow } from './steady-clock.ts'

/** What it is made of. */
export interface HubWordParts {
  state: AgentState
  clusterHash: string
  api: Pick<HubApi, 'feed'>
  /** Random id of this process, the same as in heartbeats. */
  instance: string
  rideOutMs: number
  hubOffsetMs: () => number | undefined
  /** Writes the state whole. */
  saveState: (state: AgentState) => Promise<void>
  log: Logger
}

/** Listens from `start()` to `close()`. */
export class HubWord {
  readonly admission: FeedAdmission
  readonly keys: PinnedKeys
  readonly #lease: Lease
  readonly #loop: FeedLoop
  readonly #log: Logger
  #recheck: () => number = () => 0
  #onNews: (claims: FeedClaims) => void = () => undefined
  #failing = false

  private constructor(parts: HubWordParts, keys: PinnedKeys) {
    const { state, log } = parts
    this.#log = log
    this.keys = keys
    const revocations = new Revocations(steadyNow)
    this.#lease = new Lease({
      now: steadyNow,
      wallNow: Date.now,
      rideOutMs: parts.rideOutMs,
      hubOffsetMs: parts.hubOffsetMs,
      onLost: () => {
        log.warn({ event: 'lease.lost', err: this.#lease.refusal() })
      },
      onCut: () => {
        this.#cut('lease')
      },
    })
    this.admission = new FeedAdmission({ lease: this.#lease, revocations, keys })
    this.#loop = new FeedLoop({
      ask: (request, signal) => parts.api.feed(request, signal),
      instance: parts.instance,
      issuer: state.issuer,
      audience: clusterAudience(parts.clusterHash),
      keys,
      revocations,
      lease: this.#lease,
      now: steadyNow,
      saveKeys: (set) => this.#saveKeys(parts, set),
      onNews: (claims) => {
        this.#take(claims)
      },
      onFailure: (err, retryInMs) => {
        this.#fail(err, retryInMs)
      },
    })
  }

  /** @throws SallyportError ERR_STATE_INVALID when a pinned key is damaged. */
  static async create(parts: HubWordParts): Promise<HubWord> {
    const { clusterTokenKeys, clusterTokenKeysAt } = parts.state
    return new HubWord(parts, await PinnedKeys.load(clusterTokenKeys, clusterTokenKeysAt))
  }

  /** `recheck` ends sessions that must not stay and counts them; `onNews` hears of each statement after that. */
  start(to: { recheck: () => number; onNews?: (claims: FeedClaims) => void }): void {
    this.#recheck = to.recheck
    this.#onNews = to.onNews ?? this.#onNews
    this.#loop.start()
  }

  async close(): Promise<void> {
    await this.#loop.close()
    this.#lease.close()
  }

  #take(claims: FeedClaims): void {
    this.admission.heard(claims)
    this.#cut('news')
    if (this.#failing) this.#log.info({ event: 'feed.followed' })
    this.#failing = false
    this.#onNews(claims)
  }

  #cut(why: string): void {
    const sessions = this.#recheck()
    if (sessions > 0) this.#log.info({ event: 'sessions.cut', why, sessions })
  }

  #fail(err: SallyportError, retryInMs: number): void {
    this.#failing = true
    this.#log.warn({ event: 'feed.failed', err, retryInMs })
  }

  /** In memory they count already; a disk that refuses costs one more chain of statements after the next start. */
  async #saveKeys({ state, saveState, log }: HubWordParts, set: KeySet): Promise<void> {
    log.info({ event: 'keys.followed', kids: set.jwks.map(({ kid }) => kid) })
    try {
      const { jwks: clusterTokenKeys, issuedAt: clusterTokenKeysAt } = set
      await saveState({ ...state, clusterTokenKeys, clusterTokenKeysAt })
    } catch (err) {
      log.error({ event: 'keys.not_saved', err })
    }
  }
}
