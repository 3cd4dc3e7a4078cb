/**
 * Tells the hub every few seconds that the agent lives, what it listens at and what its cluster looks like.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  isSallyportError,
  limits,
  SallyportError,
  version,
  type Heartbeat,
} from '@sallyport/protocol'
import type { ClusterReport } from '../upstream/cluster-report.ts'
import type { HubApi } from './hub-api.ts'

/** The facts of the cluster are asked again after this time. */
const reportEveryMs = 60_000

/** What the loop is made of. */
export interface HeartbeatOptions {
  api: Pick<HubApi, 'heartbeat'>
  instance: string
  isListening: () => boolean
  report: (signal: AbortSignal) => Promise<ClusterReport>
  onBeat: (beat: { offsetMs: number }) => void
  onFailure: (what: 'heartbeat' | 'report', error: SallyportError) => void
}

function asError(cause: unknown): SallyportError {
  return isSallyportError(cause)
    ? cause
    : new SallyportError('ERR_UPSTREAM_UNREACHABLE', 'the API server cannot be asked', { cause })
}

/** Beats from `start()` to `close()`; `wake()` beats at once. */
export class HeartbeatLoop {
  readonly #options: HeartbeatOptions
  readonly #stop = new AbortController()
  #wake = new AbortController()
  #report: ClusterReport = {}
  #running: Promise<unknown> = Promise.resolve()

  constructor(options: HeartbeatOptions) {
    this.#options = options
  }

  start(): void {
    this.#running = Promise.all([this.#beat(), this.#refresh()])
  }

  /** Sends the next heartbeat now: something worth telling has changed. */
  wake(): void {
    this.#wake.abort()
  }

  /** Stops, then tells the hub once that the agent is stopping; failures of that are ignored. */
  async close(): Promise<void> {
    this.#stop.abort()
    await this.#running
    const signal = AbortSignal.timeout(limits.gracefulStopMs / 2)
    await this.#options.api.heartbeat(this.#body('stopping'), signal).catch(() => undefined)
  }

  #body(state: Heartbeat['state']): Heartbeat {
    const listening = state === 'running' && this.#options.isListening()
    return {
      instance: this.#options.instance,
      state,
      agentVersion: version,
      listening,
      ...this.#report,
    }
  }

  async #beat(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      this.#wake = new AbortController()
      let waitMs: number
      try {
        const sentAt = Date.now()
        const answer = await this.#options.api.heartbeat(this.#body('running'), signal)
        waitMs = Math.min(answer.intervalMs, limits.agentPresenceLeaseMs)
        // `serverTime` is in whole seconds: half a second and half the round trip are the best guess.
        const offsetMs = answer.serverTime * 1000 + 500 - (sentAt + Date.now()) / 2
        this.#options.onBeat({ offsetMs })
      } catch (error) {
        if (signal.aborted) return
        this.#options.onFailure('heartbeat', asError(error))
        waitMs = limits.agentHeartbeatMs / 3
      }
      await this.#wait(waitMs)
    }
  }

  async #refresh(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      let waitMs = reportEveryMs
      try {
        const before = JSON.stringify(this.#report)
        this.#report = await this.#options.report(signal)
        if (JSON.stringify(this.#report) !== before) this.wake()
      } catch (error) {
        if (signal.aborted) return
        this.#options.onFailure('report', asError(error))
        waitMs = limits.agentHeartbeatMs
      }
      await sleep(waitMs, undefined, { signal }).catch(() => undefined)
    }
  }

  async #wait(ms: number): Promise<void> {
    const signal = AbortSignal.any([this.#stop.signal, this.#wake.signal])
    // A tenth of jitter keeps thousands of agents from beating in step.
    await sleep(ms * (0.9 + Math.random() * 0.1), undefined, { signal }).catch(() => undefined)
  }
}
