/**
 * Keeps the RBAC objects of a cluster as the hub's role assignments say, from the first word of the hub to the end of the agent.
 * Without a word from the hub it changes nothing.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  isSallyportError,
  limits,
  rbacClusterMark,
  SallyportError,
  type AgentAssignments,
  type RbacAddress,
} from '@sallyport/protocol'
import { BackOff } from '@sallyport/tunnel'
import type { Logger } from 'pino'
import { AgentCalls } from '../upstream/agent-calls.ts'
import type { UpstreamTarget } from '../upstream/target.ts'
import { desiredObjects, keyOf, type Desired } from './desired.ts'
import { isAsDesired } from './inventory.ts'
import { watchRbac, type RbacEvent } from './rbac-watch.ts'
import { reconcile, type ReconcileResult } from './reconcile.ts'

/** The feature that switches materialising off for a cluster. */
const feature = 'azure-rbac'

/** What a materialiser is made of. */
export interface MaterialiserParts {
  target: UpstreamTarget
  /** `clusterHash` of the connected cluster. */
  clusterHash: string
  /** Asks the hub for all assignments of the cluster. */
  fetch: (signal: AbortSignal) => Promise<AgentAssignments>
  log: Logger
}

/** What the feed says about role assignments. */
export interface Offer {
  /** Version of the role assignments at the hub. */
  version: string
  disabledFeatures: readonly string[]
}

/** Counts for the metrics. */
export interface MaterialiserGauges {
  /** Objects there should be. */
  rbacObjects: number
  /** Manual changes put back since the start. */
  rbacRestored: number
  /** Objects that are in the way, or look like ours, and were left alone. */
  rbacConflicts: number
}

const nothing: Desired = { objects: new Map(), refused: [] }

/** One agent's materialiser. `offer()` may be called at any time and as often as one likes. */
export class Materialiser {
  readonly #parts: MaterialiserParts
  readonly #mark: string
  readonly #calls: AgentCalls
  readonly #stop = new AbortController()
  readonly #placed = new Set<string>()
  readonly #backOff = new BackOff({ maxMs: limits.materialiseRetryMaxMs })
  #wake = new AbortController()
  #offer: Offer | undefined
  #version: string | undefined
  #fetched: Desired = nothing
  #desired: Desired | undefined
  #conflicts = new Set<string>()
  #pending = new Set<string>()
  #restored = 0
  #running: Promise<unknown> = Promise.resolve()

  constructor(parts: MaterialiserParts) {
    this.#parts = parts
    this.#mark = rbacClusterMark(parts.clusterHash)
    this.#calls = new AgentCalls(parts.target, limits.materialiseConcurrency)
  }

  /** Version of the assignments that were fetched last; the feed tells it the hub. */
  get version(): string | undefined {
    return this.#version
  }

  get gauges(): MaterialiserGauges {
    return {
      rbacObjects: this.#desired?.objects.size ?? 0,
      rbacRestored: this.#restored,
      rbacConflicts: this.#conflicts.size,
    }
  }

  start(): void {
    this.#running = this.#run()
  }

  /** What the hub says now; work begins at once when it differs from before. */
  offer(offer: Offer): void {
    const before = this.#offer
    const isOff = offer.disabledFeatures.includes(feature)
    this.#offer = offer
    if (before?.version !== offer.version || before.disabledFeatures.includes(feature) !== isOff)
      this.#wake.abort()
  }

  /** The hub no longer knows this cluster: everything of ours goes. */
  forget(): void {
    this.offer({ version: '', disabledFeatures: [feature] })
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#running
    await this.#calls.close()
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    let watching: Promise<void> | undefined
    let waitMs: number | undefined
    while (!signal.aborted) {
      await this.#waitFor(waitMs)
      if (signal.aborted || this.#offer === undefined) continue
      this.#wake = new AbortController()
      waitMs = await this.#once()
      watching ??= this.#watch()
    }
    await watching
  }

  /** Until something happens, or `ms` have passed. */
  async #waitFor(ms: number | undefined): Promise<void> {
    const { signal } = this.#stop
    const woken = AbortSignal.any([signal, this.#wake.signal])
    await sleep(ms ?? limits.materialiseResyncMs, undefined, { signal: woken }).catch(
      () => undefined,
    )
    // Changes come in bursts; and somebody who changes things in a loop gets no list of ours for each.
    if (this.#desired !== undefined)
      await sleep(limits.materialiseSettleMs, undefined, { signal }).catch(() => undefined)
  }

  /** One reconcile; returns the milliseconds until the next one at the latest. */
  async #once(): Promise<number> {
    const { signal } = this.#stop
    const { log } = this.#parts
    const startedAt = performance.now()
    try {
      const desired = await this.#wanted(signal)
      this.#desired = desired
      const result = await reconcile({
        calls: this.#calls,
        mark: this.#mark,
        objects: desired.objects,
        placed: this.#placed,
        signal,
      })
      this.#report(result, performance.now() - startedAt)
      if (result.failure !== undefined) throw result.failure
      this.#backOff.reset()
      const isTroubled = result.conflicts.length + result.pending.length > 0
      return isTroubled ? limits.materialiseTroubledResyncMs : limits.materialiseResyncMs
    } catch (cause) {
      const retryInMs = this.#backOff.next()
      if (!signal.aborted) log.warn({ event: 'rbac.failed', err: asError(cause), retryInMs })
      return retryInMs
    }
  }

  async #wanted(signal: AbortSignal): Promise<Desired> {
    const { version, disabledFeatures } = this.#offer ?? {
      version: '',
      disabledFeatures: [feature],
    }
    if (disabledFeatures.includes(feature)) return nothing
    if (version === this.#version) return this.#fetched
    const assignments = await this.#parts.fetch(signal)
    this.#fetched = desiredObjects(assignments, this.#mark)
    for (const { roleId, problems } of this.#fetched.refused)
      this.#parts.log.warn({ event: 'rbac.role_refused', roleId, problems: problems.slice(0, 10) })
    // The answer may already be newer than what was offered.
    this.#version = assignments.version
    return this.#fetched
  }

  #report(result: ReconcileResult, ms: number): void {
    const { log } = this.#parts
    const { applied, removed, restored } = result
    this.#restored += restored.length
    for (const address of restored) log.warn({ event: 'rbac.restored', ...nameOf(address) })
    this.#conflicts = this.#news(result.conflicts, this.#conflicts, 'rbac.conflict')
    this.#pending = this.#news(result.pending, this.#pending, 'rbac.pending')
    if (applied + removed > 0)
      log.info({ event: 'rbac.reconciled', applied, removed, ms: Math.round(ms) })
  }

  /** Says once what is new among `now`. */
  #news(now: readonly RbacAddress[], before: ReadonlySet<string>, event: string): Set<string> {
    for (const address of now)
      if (!before.has(keyOf(address))) this.#parts.log.warn({ event, ...nameOf(address) })
    return new Set(now.map(keyOf))
  }

  #watch(): Promise<void> {
    const { log, target } = this.#parts
    return watchRbac({
      target,
      mark: this.#mark,
      onEvent: (event) => {
        if (this.#matters(event)) this.#wake.abort()
      },
      onGap: () => {
        this.#wake.abort()
      },
      onFailure: (cause) => {
        log.warn({ event: 'rbac.watch_failed', err: asError(cause) })
      },
      signal: this.#stop.signal,
    })
  }

  /** Whether the event shows something else than what should be. */
  #matters({ kind, type, object }: RbacEvent): boolean {
    const { name, namespace } = object.metadata
    if (kind === 'Namespace')
      return [...this.#pending].some((key) => key.startsWith(`RoleBinding ${name} `))
    const key = keyOf({ kind, name, namespace })
    const wanted = this.#desired?.objects.get(key)
    if (type === 'DELETED') return wanted !== undefined && !this.#pending.has(key)
    // What is known to be foreign stays so until it is gone.
    if (wanted === undefined) return !this.#conflicts.has(key)
    return !isAsDesired(object, wanted)
  }
}

function nameOf({ kind, name, namespace }: RbacAddress): Record<string, string> {
  return namespace === undefined ? { kind, name } : { kind, name, namespace }
}

function asError(cause: unknown): SallyportError {
  return isSallyportError(cause)
    ? cause
    : new SallyportError('ERR_UPSTREAM_UNREACHABLE', 'the API server cannot be asked', { cause })
}
