/**
 * The sender's end of a rendezvous.
 * @module
 */
import { randomUUID } from 'node:crypto'
import { hybridConnection, limits, SallyportError } from '@sallyport/protocol'
import { dialUpgrade } from './client-upgrade.ts'
import type { DialSettings } from './dial-socket.ts'
import { allModes, rendezvousOn, subprotocolOf } from './rendezvous.ts'
import type { Rendezvous, RendezvousMode } from './rendezvous.ts'

/** `id` correlates the logs of both ends and the relay; a new GUID when absent. */
export interface DialRendezvousOptions extends DialSettings {
  signal: AbortSignal
  id?: string
  modes?: readonly RendezvousMode[]
}

/**
 * Connects to a listener of the path in `access.url`, within `rendezvousTimeoutMs`.
 * @throws SallyportError naming the hop that failed: ERR_RELAY_*, ERR_HUB_UNTRUSTED, ERR_TIMEOUT, or the abort's.
 */
export async function dialRendezvous(
  access: { url: string; token: string },
  options: DialRendezvousOptions,
): Promise<Rendezvous> {
  const id = options.id ?? randomUUID()
  const upgraded = await dialUpgrade({
    url: actionUrl(access.url, { action: 'connect', id }),
    action: 'connect',
    // In a header, not the query: proxies and servers log request targets.
    headers: { [hybridConnection.tokenHeader]: access.token },
    subprotocols: (options.modes ?? allModes).map(subprotocolOf),
    dial: dialSettings(options),
    signal: options.signal,
    timeoutMs: limits.rendezvousTimeoutMs,
  })
  return rendezvousOn(upgraded, id)
}

/** URL of a relay path with its action. @throws SallyportError ERR_RELAY_PROTOCOL when it is not a ws or wss URL. */
export function actionUrl(text: string, query: { action: 'listen' | 'connect'; id?: string }): URL {
  const url = relayUrl(text)
  url.searchParams.set(hybridConnection.action, query.action)
  if (query.id !== undefined) url.searchParams.set(hybridConnection.id, query.id)
  return url
}

/** Parses a relay URL. @throws SallyportError ERR_RELAY_PROTOCOL when it is not a ws or wss URL. */
export function relayUrl(text: string): URL {
  const url = URL.parse(text)
  if (url?.protocol === 'wss:' || url?.protocol === 'ws:') return url
  throw new SallyportError('ERR_RELAY_PROTOCOL', 'the address of the relay is not a ws or wss URL')
}

/** Only the settings of a dial, of an object that may hold more. */
export function dialSettings({ ca, proxy }: DialSettings): DialSettings {
  return { ...(ca === undefined ? {} : { ca }), ...(proxy === undefined ? {} : { proxy }) }
}
