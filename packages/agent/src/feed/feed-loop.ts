/**
 * Keeps a request at the hub open and takes what it answers: revocations before anything else, then keys, then the lease.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  FeedClaimsSchema,
  SallyportError,
  feedStatementType,
  isSallyportError,
  limits,
  parser,
  type FeedClaims,
  type FeedRequest,
  type FeedResponse,
} from '@sallyport/protocol'
import { BackOff } from '@sallyport/tunnel'
import type { Lease } from './lease.ts'
import type { KeySet, PinnedKeys } from './pinned-keys.ts'
import type { Revocations } from './revocations.ts'
import { verifyStrict } from './strict-jws.ts'

/** What the loop is made of. */
export interface FeedLoopParts {
  ask: (request: FeedRequest, signal: AbortSignal) => Promise<FeedResponse>
  instance: string
  issuer: string
  audience: string
  keys: PinnedKeys
  revocations: Revocations
  lease: Lease
  /** Steady clock, milliseconds. */
  now: () => number
  /** Keeps the keys over a restart. */
  saveKeys: (set: KeySet) => Promise<void>
  /** After a statement was taken: sessions have to be looked at. */
  onNews: (claims: FeedClaims) => void
  onFailure: (error: SallyportError, retryInMs: number) => void
  random?: () => number
}

const parseClaims = parser(FeedClaimsSchema, 'statement', 'ERR_HUB_UNTRUSTED')
const statementBytes = 262_144
/** Beyond the time the hub holds a request: more means the connection is dead. */
const answerMs = 5_000
/** A lease is short: nobody waits half of it for the next attempt. */
const backOffMaxMs = 5_000

function refuse(why: string, cause?: unknown): SallyportError {
  return new SallyportError('ERR_HUB_UNTRUSTED', 'a statement of the hub is not accepted', {
    why,
    cause,
  })
}

/** Asks from `start()` to `close()`. */
export class FeedLoop {
  readonly #parts: FeedLoopParts
  readonly #stop = new AbortController()
  readonly #backOff: BackOff
  #told: Pick<FeedClaims, 'assignments' | 'disabledFeatures'> | undefined
  #holdMs: number = limits.feedHoldMs
  #running: Promise<void> = Promise.resolve()

  constructor(parts: FeedLoopParts) {
    this.#parts = parts
    const random = parts.random === undefined ? {} : { random: parts.random }
    this.#backOff = new BackOff({ maxMs: backOffMaxMs, ...random })
  }

  start(): void {
    this.#running = this.#run()
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      const waitMs = await this.#once(signal)
      await sleep(waitMs, undefined, { signal }).catch(() => undefined)
    }
  }

  /** One request and what follows from it. @returns how long to wait before the next. */
  async #once(signal: AbortSignal): Promise<number> {
    try {
      const before = this.#parts.revocations.seq
      await this.#ask(signal)
      this.#backOff.reset()
      // Many changes in a row come together; a single one is never waited for.
      return this.#parts.revocations.seq === before ? 0 : limits.feedPauseMs
    } catch (cause) {
      if (signal.aborted) return 0
      const error = isSallyportError(cause)
        ? cause
        : new SallyportError('ERR_HUB_UNREACHABLE', 'the hub cannot be asked', { cause })
      // With a reason it is about this one request (a clock, a replay); without one it is about the agent.
      if (error.code === 'ERR_AGENT_UNKNOWN' && error.why === undefined) {
        this.#parts.lease.revoke(error.message)
      }
      const { retryAfterSeconds } = error
      const retryInMs = this.#backOff.next(
        retryAfterSeconds === undefined ? undefined : retryAfterSeconds * 1000,
      )
      this.#parts.onFailure(error, retryInMs)
      return retryInMs
    }
  }

  async #ask(signal: AbortSignal): Promise<void> {
    const { ask, instance, keys, revocations, now } = this.#parts
    const nonce = randomBytes(16).toString('base64url')
    const sentAt = now()
    const deadline = AbortSignal.timeout(this.#holdMs + answerMs)
    const request: FeedRequest = {
      instance,
      nonce,
      keyIds: keys.ids,
      ...(revocations.seq === undefined ? {} : { after: revocations.seq }),
      ...this.#told,
    }
    const answer = await ask(request, AbortSignal.any([signal, deadline]))
    await this.#take(answer, { nonce, sentAt })
  }

  async #take(
    answer: FeedResponse,
    { nonce, sentAt }: { nonce: string; sentAt: number },
  ): Promise<void> {
    const { keys, revocations, lease, issuer, audience, onNews } = this.#parts
    const set = await keys.follow(answer.keyStatements, issuer)
    const payload = await verifyStrict(answer.statement, {
      typ: feedStatementType,
      maxBytes: statementBytes,
      keyOf: (kid) => set.byId.get(kid),
      refuse,
    })
    const claims = parseClaims(payload)
    if (claims.iss !== issuer) throw refuse('the issuer is not the pinned one')
    if (claims.aud !== audience) throw refuse('it is for another cluster')
    if (claims.nonce !== nonce) throw refuse('it answers another request')
    revocations.apply(claims)
    const isOther = set !== keys.set
    keys.adopt(set)
    const { assignments, disabledFeatures, leaseMs } = claims
    this.#told = { assignments, disabledFeatures }
    this.#holdMs = Math.min(limits.feedHoldMs, Math.floor(leaseMs / 3))
    lease.grant(sentAt, leaseMs)
    onNews(claims)
    if (isOther) await this.#parts.saveKeys(set)
  }
}
