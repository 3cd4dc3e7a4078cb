/**
 * The agent's presence at one relay: keeps a control channel open for ever and takes the senders it announces.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { limits, SallyportError, type AcceptMessage, type RelayAccess } from '@sallyport/protocol'
import { acceptRendezvous, asSallyportError } from './accept-rendezvous.ts'
import { BackOff } from './back-off.ts'
import { openControlChannel, type ControlChannel } from './control-channel.ts'
import { dialSettings } from './dial-rendezvous.ts'
import type { DialSettings } from './dial-socket.ts'
import { allModes, type Rendezvous, type RendezvousMode } from './rendezvous.ts'

/** Where a listener stands. `waiting` says why the last attempt ended and when the next one is. */
export type ListenerState =
  | { state: 'connecting' }
  | { state: 'listening' }
  | { state: 'waiting'; error: SallyportError; retryInMs: number }
  | { state: 'closed' }

/** `access` is asked before each attempt and for each renewal; `onRendezvous` owns the stream it gets. */
export interface RendezvousListenerOptions {
  access: (signal: AbortSignal) => Promise<RelayAccess>
  dial: DialSettings
  onRendezvous: (rendezvous: Rendezvous) => void
  onState?: (state: ListenerState) => void
  /** A sender was announced but could not be taken; it gets its answer from the relay. */
  onAcceptError?: (error: SallyportError, id: string) => void
  modes?: readonly RendezvousMode[]
  random?: () => number
}

/** Listens until `close()`; every failure is retried with back-off. Rendezvous already handed out live on. */
export class RendezvousListener {
  readonly closed: Promise<void>
  readonly #options: RendezvousListenerOptions
  readonly #stop = new AbortController()
  readonly #backOff: BackOff
  readonly #close = Promise.withResolvers<undefined>()
  #run: Promise<void> | undefined
  #isListening = false
  #accepts = 0

  constructor(options: RendezvousListenerOptions) {
    this.#options = options
    this.#backOff = new BackOff(options.random === undefined ? {} : { random: options.random })
    this.closed = this.#close.promise
  }

  /** Whether senders can reach this listener now. */
  get listening(): boolean {
    return this.#isListening
  }

  /** Begins; the states tell how it goes. */
  start(): void {
    this.#run ??= this.#listen()
  }

  /** Closes the control channel and ends all attempts. */
  async close(): Promise<void> {
    this.#stop.abort(new SallyportError('ERR_INTERRUPTED', 'the listener is closed'))
    await this.#run
    this.#close.resolve(undefined)
  }

  async #listen(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      this.#tell({ state: 'connecting' })
      const error = await this.#attempt()
      this.#isListening = false
      if (signal.aborted) break
      const seconds = error.retryAfterSeconds
      const retryInMs = this.#backOff.next(seconds === undefined ? undefined : seconds * 1000)
      this.#tell({ state: 'waiting', error, retryInMs })
      await sleep(retryInMs, undefined, { signal }).catch(() => undefined)
    }
    this.#tell({ state: 'closed' })
  }

  /** One control channel from dial to end. @returns why it ended. */
  async #attempt(): Promise<SallyportError> {
    const attempt = new AbortController()
    const signal = AbortSignal.any([this.#stop.signal, attempt.signal])
    try {
      const access = await this.#options.access(signal)
      const channel = await openControlChannel({
        url: access.url,
        token: access.token,
        dial: dialSettings(this.#options.dial),
        signal,
        onAccept: (accept) => void this.#accept(accept, access.url),
      })
      return await this.#hold(channel, access, signal)
    } catch (error) {
      return asSallyportError(error)
    } finally {
      attempt.abort()
    }
  }

  async #hold(
    channel: ControlChannel,
    access: RelayAccess,
    signal: AbortSignal,
  ): Promise<SallyportError> {
    const since = performance.now()
    this.#isListening = true
    this.#tell({ state: 'listening' })
    void this.#renewTokens(channel, access, signal)
    const error = await channel.ended
    // A relay that takes us and drops us at once must not be dialled without pause.
    if (performance.now() - since >= limits.reconnectMaxMs) this.#backOff.reset()
    return error
  }

  async #renewTokens(
    channel: ControlChannel,
    first: RelayAccess,
    signal: AbortSignal,
  ): Promise<void> {
    const backOff = new BackOff()
    let access = first
    let waitMs = renewInMs(access)
    for (;;) {
      await sleep(waitMs, undefined, { signal, ref: false }).catch(() => undefined)
      if (signal.aborted) return
      try {
        access = await this.#options.access(signal)
        if (access.url !== first.url) {
          channel.close()
          return
        }
        channel.renewToken(access.token)
        backOff.reset()
        waitMs = renewInMs(access)
      } catch {
        // The old token is still good for a while; when it is not, the relay closes and the reason shows at the next attempt.
        waitMs = backOff.next()
      }
    }
  }

  async #accept(accept: AcceptMessage['accept'], controlUrl: string): Promise<void> {
    const { dial, modes, onRendezvous, onAcceptError } = this.#options
    // The sender of one that is dropped here hears from the relay; a flood must not make this machine dial without bound.
    if (this.#accepts >= limits.rendezvousAccepts) return
    this.#accepts += 1
    try {
      const rendezvous = await acceptRendezvous(accept, {
        dial: dialSettings(dial),
        modes: modes ?? allModes,
        isSecure: controlUrl.startsWith('wss:'),
        signal: this.#stop.signal,
      })
      onRendezvous(rendezvous)
    } catch (error) {
      onAcceptError?.(asSallyportError(error), accept.id)
    } finally {
      this.#accepts -= 1
    }
  }

  #tell(state: ListenerState): void {
    this.#options.onState?.(state)
  }
}

/** Two minutes before the expiry, or after half of the time that is left when it is less. */
function renewInMs(access: RelayAccess): number {
  const leftMs = access.expiresAt * 1000 - Date.now()
  const waitMs = Math.max(
    leftMs - limits.relayRenewTokenBeforeMs,
    leftMs / 2,
    limits.reconnectMinMs,
  )
  // Longer waits than a timer can hold come in steps.
  return Math.min(waitMs, 24 * 60 * 60 * 1000)
}
