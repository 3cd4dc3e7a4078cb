/**
 * Control channels to the relays the hub names: one listener for each, two at most, kept as the list changes.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { SallyportError, type RelayAccess } from '@sallyport/protocol'
import {
  RendezvousListener,
  type DialSettings,
  type ListenerState,
  type Rendezvous,
} from '@sallyport/tunnel'
import type { HubApi } from './hub-api.ts'
import { retry } from './retry.ts'

/** Two relay nodes where there are two (design.md section 4, liveness). */
const relaysMax = 2
const refreshEveryMs = 5 * 60_000

/** What the set is made of. */
export interface RelaySetOptions {
  api: Pick<HubApi, 'relays'>
  dial: DialSettings
  onRendezvous: (rendezvous: Rendezvous) => void
  onState: (url: string, state: ListenerState) => void
  onRetry: (error: SallyportError, inMs: number) => void
  onFailure: (error: SallyportError) => void
}

/** Keeps the listeners from `start()` to `close()`. */
export class RelaySet {
  readonly #options: RelaySetOptions
  readonly #listeners = new Map<string, RendezvousListener>()
  readonly #stop = new AbortController()
  #running: Promise<void> = Promise.resolve()

  constructor(options: RelaySetOptions) {
    this.#options = options
  }

  /** Whether at least one control channel is open. */
  get listening(): boolean {
    return Array.from(this.#listeners.values()).some((listener) => listener.listening)
  }

  start(): void {
    this.#running = this.#run()
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#running
    await Promise.all(Array.from(this.#listeners.values(), (listener) => listener.close()))
    this.#listeners.clear()
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      try {
        const { onRetry } = this.#options
        this.#apply(await retry(() => this.#options.api.relays(signal), { signal, onRetry }))
      } catch (error) {
        if (signal.aborted) return
        this.#options.onFailure(
          error instanceof SallyportError
            ? error
            : new SallyportError('ERR_INTERNAL', 'the relays are not known', { cause: error }),
        )
      }
      const waitMs = this.#listeners.size === 0 ? refreshEveryMs / 20 : refreshEveryMs
      await sleep(waitMs, undefined, { signal }).catch(() => undefined)
    }
  }

  #apply(relays: readonly RelayAccess[]): void {
    const urls = new Set(relays.slice(0, relaysMax).map(({ url }) => url))
    for (const [url, listener] of this.#listeners)
      if (!urls.has(url)) {
        this.#listeners.delete(url)
        void listener.close()
      }
    for (const url of urls) if (!this.#listeners.has(url)) this.#listen(url)
  }

  #listen(url: string): void {
    const { api, dial, onRendezvous, onState } = this.#options
    const listener = new RendezvousListener({
      access: async (signal) => {
        const access = (await api.relays(signal)).find((relay) => relay.url === url)
        if (access === undefined)
          throw new SallyportError('ERR_RELAY_UNREACHABLE', 'the hub no longer names this relay')
        return access
      },
      dial,
      onRendezvous,
      onState: (state) => {
        onState(url, state)
      },
    })
    this.#listeners.set(url, listener)
    listener.start()
  }
}
