/**
 * One principal's use of one cluster: keeps a bound link alive, renews its token, dials again when it is lost.
 * @module
 */
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { SallyportError, limits, type SallyportCredential } from '@sallyport/protocol'
import { BackOff } from '../rendezvous/back-off.ts'
import type { DialSettings } from '../rendezvous/dial-socket.ts'
import { dialRendezvous } from '../rendezvous/dial-rendezvous.ts'
import type { Rendezvous } from '../rendezvous/rendezvous.ts'
import type { ClientLink } from './client-link.ts'
import {
  asSallyportError,
  connectLink,
  type ConnectedLink,
  type DialRendezvous,
} from './connect-link.ts'
import { abortError, beforeDeadline } from './deadline.ts'
import type { LinkIdentity } from './identity.ts'
import { keepRenewed, type HeldCredential } from './renewal.ts'

type Mode = Rendezvous['mode']

type EstablishedLink = ConnectedLink & { held: HeldCredential }

/** What a session is doing, for the user's eyes. */
export type SessionState =
  | { state: 'connecting' }
  | { state: 'connected'; mode: Mode; sessionId: string }
  | { state: 'reconnecting'; error: SallyportError; retryInMs: number }
  | { state: 'closed'; error?: SallyportError }

/** Collaborators of a session. */
export interface ClientSessionOptions {
  identity: LinkIdentity
  dial: DialSettings
  /** Asks the hub; called at start, at each redial and before each expiry. */
  credential: (sessionId: string | undefined, signal: AbortSignal) => Promise<SallyportCredential>
  /** Throws to refuse the agent. */
  checkAgentKey: (keySha256: string, credential: SallyportCredential) => void
  onState?: (state: SessionState) => void
  modes?: Mode[]
  random?: () => number
  /** Replaces the dialler of the relay. */
  dialRendezvous?: DialRendezvous
}

/** Permanent errors (`entry.retryable` false) end the session; all others are retried with back-off for as long as it lives. */
export class ClientSession {
  /** Resolves at the end, with the error that ended it; never rejects. */
  readonly closed: Promise<{ error?: SallyportError }>
  readonly #options: ClientSessionOptions
  readonly #dial: DialRendezvous
  readonly #backOff: BackOff
  readonly #stop = new AbortController()
  readonly #resolveClosed: (end: { error?: SallyportError }) => void
  #sessionId: string | undefined
  #lastStreamId = 0
  #link: ClientLink | undefined
  /** The live link and those that still drain. */
  readonly #links = new Set<ClientLink>()
  #lastError: SallyportError | undefined
  /** Whether the last link ended because the token was too old, young as it was. */
  #wasStale = false
  /** Settles when a link is there again, or the session has ended. */
  #linked = waiter<ClientLink>()

  constructor(options: ClientSessionOptions) {
    this.#options = options
    this.#dial =
      options.dialRendezvous ??
      ((access, signal) =>
        dialRendezvous(access, {
          ...options.dial,
          signal,
          ...(options.modes && { modes: options.modes }),
        }))
    this.#backOff = new BackOff(options.random === undefined ? {} : { random: options.random })
    const { promise, resolve } = Promise.withResolvers<{ error?: SallyportError }>()
    this.closed = promise
    this.#resolveClosed = resolve
  }

  /**
   * Resolves when the first link is bound. Transient errors are retried within `proxyReadyTimeoutMs`.
   * @throws SallyportError of the hop that failed; the session is then closed.
   */
  async start(signal: AbortSignal): Promise<void> {
    this.#tell({ state: 'connecting' })
    const patience = new AbortController()
    const timer = setTimeout(() => {
      patience.abort(
        this.#lastError ?? new SallyportError('ERR_TIMEOUT', 'the agent was not reached in time'),
      )
    }, limits.proxyReadyTimeoutMs)
    const all = AbortSignal.any([signal, this.#stop.signal, patience.signal])
    try {
      const connected = await this.#connect(all)
      void this.#run(connected)
    } catch (cause) {
      const error = all.aborted ? abortError(all) : asSallyportError(cause)
      this.#end(error)
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  /**
   * Opens a stream, waiting up to `dialTimeoutMs` for a link that is being dialled again.
   * @throws SallyportError why there is no link, ERR_AGENT_BUSY at the limit of streams.
   */
  async openStream(signal: AbortSignal): Promise<Duplex> {
    if (this.#link?.open === true) return this.#link.openStream()
    const link = await beforeDeadline(this.#liveLink(), {
      signal,
      timeoutMs: limits.dialTimeoutMs,
      expired: () =>
        this.#lastError ?? new SallyportError('ERR_TIMEOUT', 'no link to the agent in time'),
    })
    return link.openStream()
  }

  async #liveLink(): Promise<ClientLink> {
    for (;;) {
      const link = await this.#linked.promise
      if (link.open) return link
      // Its end is on the way; `#adopt` heard of it before us and has replaced the promise.
      await link.draining
    }
  }

  /** Ends the session and its link; open streams fail. */
  async close(): Promise<void> {
    this.#end()
    await this.closed
  }

  /** Connects until it works; gives up on a permanent error or the signal. */
  async #connect(signal: AbortSignal): Promise<EstablishedLink> {
    for (;;) {
      try {
        const held = await this.#fetch(signal)
        const connected = await connectLink(
          {
            identity: this.#options.identity,
            dialRendezvous: this.#dial,
            checkAgentKey: this.#options.checkAgentKey,
            nextStreamId: () => (this.#lastStreamId += 1),
          },
          held.credential,
          signal,
        )
        return { ...connected, held }
      } catch (cause) {
        const error = asSallyportError(cause)
        if (signal.aborted) throw error
        this.#lastError = error
        if (!error.entry.retryable) throw error
        await this.#pause(error, signal)
      }
    }
  }

  async #fetch(signal: AbortSignal): Promise<HeldCredential> {
    const credential = await beforeDeadline(this.#options.credential(this.#sessionId, signal), {
      signal,
      timeoutMs: limits.apiCallTimeoutMs,
      expired: () => new SallyportError('ERR_TIMEOUT', 'the hub gave no credential in time'),
    })
    this.#sessionId = credential.sessionId
    return { credential, fetchedAt: performance.now() }
  }

  async #pause(error: SallyportError, signal: AbortSignal): Promise<void> {
    const { retryAfterSeconds } = error
    const retryInMs = this.#backOff.next(
      retryAfterSeconds === undefined ? undefined : retryAfterSeconds * 1000,
    )
    this.#tell({ state: 'reconnecting', error, retryInMs })
    await sleep(retryInMs, undefined, { signal })
  }

  /** Lives from link to link until the session is stopped. */
  async #run(first: EstablishedLink): Promise<void> {
    const { signal } = this.#stop
    try {
      for (let connected = first; ; connected = await this.#connect(signal)) {
        const error = await this.#use(connected)
        if (signal.aborted) return
        this.#lastError = error
        if (this.#isToHurry(error)) this.#tell({ state: 'reconnecting', error, retryInMs: 0 })
        else await this.#pause(error, signal)
      }
    } catch (error) {
      // A stop rejects every wait; then the session has its end already.
      this.#end(asSallyportError(error))
    }
  }

  /** Rights that changed need a new token at once; one that is too old again has to wait like everything else. */
  #isToHurry({ code }: SallyportError): boolean {
    const wasStale = this.#wasStale
    this.#wasStale = code === 'ERR_SESSION_STALE'
    return this.#wasStale && !wasStale
  }

  /** Serves streams on one link until it takes no more. Rejects on a permanent error of the renewal. */
  async #use(connected: EstablishedLink): Promise<SallyportError> {
    const { link, mode, sessionId, held } = connected
    const since = performance.now()
    this.#adopt(link)
    this.#tell({ state: 'connected', mode, sessionId })
    const gone = new AbortController()
    const renewal = keepRenewed(link, held, {
      fetch: (signal) => this.#fetch(signal),
      signal: AbortSignal.any([gone.signal, this.#stop.signal]),
    })
    try {
      await Promise.race([link.draining, renewal])
    } finally {
      gone.abort()
    }
    // A link that lived is no reason to hesitate; one that dies young is.
    if (performance.now() - since > limits.reconnectMaxMs) {
      this.#backOff.reset()
      this.#wasStale = false
    }
    const { error } = await link.draining
    return error ?? new SallyportError('ERR_LINK_LOST', 'the agent closes the link')
  }

  /** A link that drains keeps its open streams as long as the agent lets it; new ones wait for the next link. */
  #adopt(link: ClientLink): void {
    this.#links.add(link)
    void link.closed.then(() => this.#links.delete(link))
    if (this.#stop.signal.aborted) {
      link.destroy()
      return
    }
    this.#link = link
    this.#lastError = undefined
    this.#linked.resolve(link)
    void link.draining.then(() => {
      if (!this.#stop.signal.aborted) this.#linked = waiter()
    })
  }

  #end(error?: SallyportError): void {
    if (this.#stop.signal.aborted) return
    const end = error === undefined ? {} : { error }
    const reason = error ?? new SallyportError('ERR_INTERRUPTED', 'the session was closed')
    this.#stop.abort(reason)
    this.#linked.reject(reason)
    this.#linked = waiter()
    this.#linked.reject(reason)
    for (const link of this.#links) link.destroy()
    void Promise.all(Array.from(this.#links, ({ closed }) => closed)).then(() => {
      this.#tell({ state: 'closed', ...end })
      this.#resolveClosed(end)
    })
  }

  #tell(state: SessionState): void {
    this.#options.onState?.(state)
  }
}

/** A promise to be settled later; nobody has to be waiting when it rejects. */
function waiter<T>(): PromiseWithResolvers<T> {
  const made = Promise.withResolvers<T>()
  made.promise.catch(() => undefined)
  return made
}
