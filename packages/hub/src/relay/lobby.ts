/**
 * The senders that wait for a listener, each behind an address that works once.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { limits, SallyportError } from '@sallyport/protocol'
import { acceptMessage } from './accept-message.ts'
import type { ListenerChannel } from './listener-channel.ts'
import { WaitingSender, type SenderHandshake } from './waiting-sender.ts'

/** Collaborators. `refuse` answers a sender; `onAbandoned` hears of one that left by itself. */
export interface LobbyOptions {
  scheme: 'ws' | 'wss'
  listenersOf: (path: string) => ListenerChannel[]
  now: () => number
  random: () => number
  refuse: (handshake: SenderHandshake, error: unknown) => void
  onAbandoned: (handshake: SenderHandshake) => void
}

interface Place {
  /** Changes when another listener gets the sender. */
  addressId: string
  sender: WaitingSender
  listener: ListenerChannel
  expiresAt: number
}

/** At most `relayRendezvous` places, which the relay counts together with what is spliced. */
export class Lobby {
  readonly #options: LobbyOptions
  readonly #places = new Map<string, Place>()

  constructor(options: LobbyOptions) {
    this.#options = options
  }

  /** Senders that wait. */
  get size(): number {
    return this.#places.size
  }

  /**
   * Announces a sender to one listener, chosen at random.
   * @throws SallyportError ERR_RELAY_NO_LISTENER, ERR_RELAY_BUSY, ERR_RELAY_PROTOCOL.
   */
  enter(handshake: SenderHandshake): void {
    const addressId = newAddressId()
    const listener = this.#announce(handshake, addressId)
    const now = this.#options.now()
    const sender = new WaitingSender(handshake, {
      now,
      onGone: () => {
        if (this.#places.delete(place.addressId)) this.#options.onAbandoned(handshake)
      },
      onTimeout: () => {
        this.#refuse(place, tooLate())
      },
    })
    const expiresAt = now + limits.relayRendezvousAddressTtlMs
    const place: Place = { addressId, sender, listener, expiresAt }
    this.#places.set(addressId, place)
  }

  /** The sender behind an address, once; undefined when it was taken, left, or is too old. */
  take(addressId: string): WaitingSender | undefined {
    const place = this.#places.get(addressId)
    if (place === undefined || this.#options.now() >= place.expiresAt) return undefined
    this.#places.delete(addressId)
    place.sender.release()
    return place.sender
  }

  /** Announces the senders of a listener that is gone to another one, or tells them that there is none. */
  listenerGone(gone: ListenerChannel): void {
    // A copy: a place that moves to a new address must not be met again.
    for (const [addressId, place] of [...this.#places]) {
      if (place.listener !== gone) continue
      const next = newAddressId()
      try {
        place.listener = this.#announce(place.sender.handshake, next)
        place.addressId = next
        this.#places.delete(addressId)
        this.#places.set(next, place)
      } catch (error) {
        this.#refuse(place, error)
      }
    }
  }

  /** Answers all with `error`. */
  clear(error: SallyportError): void {
    for (const place of [...this.#places.values()]) this.#refuse(place, error)
  }

  #announce(handshake: SenderHandshake, addressId: string): ListenerChannel {
    const { listenersOf, random, scheme } = this.#options
    const all = listenersOf(handshake.parsed.path)
    if (all.length === 0) {
      throw new SallyportError('ERR_RELAY_NO_LISTENER', 'no listener is connected for this path')
    }
    const usable = all.filter((listener) => listener.usable)
    const listener = usable[Math.floor(random() * usable.length)]
    if (listener === undefined) {
      throw new SallyportError('ERR_RELAY_BUSY', 'the listeners of this path do not read')
    }
    listener.send(acceptMessage({ scheme, host: listener.host, addressId }, handshake))
    return listener
  }

  #refuse({ addressId, sender }: Place, error: unknown): void {
    if (!this.#places.delete(addressId)) return
    sender.release()
    this.#options.refuse(sender.handshake, error)
  }
}

/** 256 bits nobody can guess. */
const newAddressId = (): string => randomBytes(32).toString('base64url')

const tooLate = (): SallyportError =>
  new SallyportError(
    'ERR_TIMEOUT',
    `the listener did not come within ${limits.relayRendezvousAddressTtlMs / 1000} s`,
  )
