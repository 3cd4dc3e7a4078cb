/**
 * From a credential to a bound link: the relays in turn, then TLS, then the bind.
 * @module
 */
import {
  SallyportError,
  clusterHash,
  isSallyportError,
  limits,
  type RelayAccess,
  type SallyportCredential,
} from '@sallyport/protocol'
import type { Rendezvous } from '../rendezvous/rendezvous.ts'
import { openClientLink, type ClientLink } from './client-link.ts'
import { abortError, beforeDeadline } from './deadline.ts'
import type { LinkIdentity } from './identity.ts'

/** Dials one relay as a sender. */
export type DialRendezvous = (access: RelayAccess, signal: AbortSignal) => Promise<Rendezvous>

/** What it takes to reach the agent. */
export interface ConnectLinkOptions {
  identity: LinkIdentity
  dialRendezvous: DialRendezvous
  checkAgentKey: (keySha256: string, credential: SallyportCredential) => void
  nextStreamId: () => number
}

/** A link that has accepted the credential. */
export interface ConnectedLink {
  link: ClientLink
  mode: Rendezvous['mode']
  sessionId: string
}

/**
 * Tries each relay of the credential in order; a permanent error ends the attempt at once.
 * @throws SallyportError of the hop that failed; of several, the one that came farthest.
 */
export async function connectLink(
  options: ConnectLinkOptions,
  credential: SallyportCredential,
  signal: AbortSignal,
): Promise<ConnectedLink> {
  let failure: SallyportError | undefined
  // The credential has just come; in whole seconds, so half of one is the best guess.
  const hubOffsetMs = credential.serverTime * 1000 + 500 - Date.now()
  for (const access of credential.relays) {
    try {
      return await connectThrough(access, { options, credential, signal, hubOffsetMs })
    } catch (cause) {
      const error = asSallyportError(cause)
      if (!error.entry.retryable) throw error
      // "No agent there" says more than "the other relay is down".
      if (failure === undefined || failure.code === 'ERR_RELAY_UNREACHABLE') failure = error
    }
    if (signal.aborted) throw abortError(signal)
  }
  throw failure ?? new SallyportError('ERR_RELAY_UNREACHABLE', 'the hub named no relay')
}

async function connectThrough(
  access: RelayAccess,
  {
    options,
    credential,
    signal,
    hubOffsetMs,
  }: {
    options: ConnectLinkOptions
    credential: SallyportCredential
    signal: AbortSignal
    hubOffsetMs: number
  },
): Promise<ConnectedLink> {
  const { stream, mode } = await dial(options.dialRendezvous, access, signal)
  const hash = await clusterHash(credential.clusterId)
  const link = await openClientLink(stream, {
    identity: options.identity,
    serverName: `${hash.slice(0, 32)}.sallyport.internal`,
    checkAgentKey: (keySha256) => {
      options.checkAgentKey(keySha256, credential)
    },
    signal,
    nextStreamId: options.nextStreamId,
  })
  try {
    const { sessionId } = await link.bind(credential.clusterToken, signal, hubOffsetMs)
    return { link, mode, sessionId }
  } catch (error) {
    link.destroy()
    throw error
  }
}

/** Dials with a deadline of its own; a rendezvous that comes after it is closed again. */
async function dial(
  dialRendezvous: DialRendezvous,
  access: RelayAccess,
  signal: AbortSignal,
): Promise<Rendezvous> {
  const ended = new AbortController()
  const dialling = dialRendezvous(access, AbortSignal.any([signal, ended.signal]))
  try {
    return await beforeDeadline(dialling, {
      signal,
      timeoutMs: limits.rendezvousTimeoutMs,
      expired: () =>
        new SallyportError('ERR_TIMEOUT', 'the relay did not bring the agent in time', {
          why: `no answer in ${limits.rendezvousTimeoutMs} ms`,
        }),
    })
  } catch (error) {
    ended.abort(error)
    void dialling.then(
      (late) => late.stream.destroy(),
      () => undefined,
    )
    throw error
  }
}

/** Any failure of a collaborator as one of ours. */
export function asSallyportError(error: unknown): SallyportError {
  return isSallyportError(error)
    ? error
    : new SallyportError('ERR_INTERNAL', 'the connection attempt failed', { cause: error })
}
