/**
 * The listener's end of a rendezvous: takes a waiting sender by its accept address.
 * @module
 */
import { isSallyportError, limits, SallyportError, type AcceptMessage } from '@sallyport/protocol'
import { dialUpgrade } from './client-upgrade.ts'
import { relayUrl } from './dial-rendezvous.ts'
import type { DialSettings } from './dial-socket.ts'
import { rendezvousOn, subprotocolOf, type Rendezvous, type RendezvousMode } from './rendezvous.ts'

/** How to take it. `isSecure`: the control channel is TLS, so the address has to be too. */
export interface AcceptOptions {
  dial: DialSettings
  modes: readonly RendezvousMode[]
  isSecure: boolean
  signal: AbortSignal
}

/**
 * Dials the accept address unmodified and repeats the best subprotocol the sender offered, if any.
 * @throws SallyportError as `dialRendezvous`; ERR_RELAY_RENDEZVOUS_EXPIRED when the address was used or is too old.
 */
export async function acceptRendezvous(
  accept: AcceptMessage['accept'],
  options: AcceptOptions,
): Promise<Rendezvous> {
  const url = relayUrl(accept.address)
  if (options.isSecure && url.protocol !== 'wss:') {
    throw new SallyportError(
      'ERR_RELAY_PROTOCOL',
      'the relay gave an accept address without TLS on a control channel with TLS',
    )
  }
  const offered = offeredSubprotocols(accept.connectHeaders)
  const choice = options.modes.map(subprotocolOf).find((name) => offered.includes(name))
  const upgraded = await dialUpgrade({
    url,
    action: 'accept',
    headers: {},
    subprotocols: choice === undefined ? [] : [choice],
    dial: options.dial,
    signal: options.signal,
    timeoutMs: limits.rendezvousTimeoutMs,
  })
  return rendezvousOn(upgraded, accept.id)
}

function offeredSubprotocols(headers: Record<string, string>): string[] {
  for (const [name, value] of Object.entries(headers)) {
    if (name.toLowerCase() === 'sec-websocket-protocol') {
      return value.split(',').map((offer) => offer.trim())
    }
  }
  return []
}

/** An error as one of ours; a bug in our own code stays visible as its cause. */
export function asSallyportError(error: unknown): SallyportError {
  return isSallyportError(error)
    ? error
    : new SallyportError('ERR_INTERNAL', 'the relay connection failed', { cause: error })
}
