/**
 * All groups of the principal of a session whose token could not carry them, from the hub.
 * @module
 */
import {
  isSallyportError,
  limits,
  SallyportError,
  type AgentGroups,
  type ClusterTokenClaims,
} from '@sallyport/protocol'

/** Asks the hub about a session of this cluster. */
export type AskGroups = (sessionId: string, signal: AbortSignal) => Promise<AgentGroups>

/**
 * Fetches them; what comes back is not checked here: the guard does that.
 * @throws SallyportError ERR_HUB_UNREACHABLE, or ERR_BIND_REFUSED when they are somebody else's.
 */
export async function fetchGroups(ask: AskGroups, claims: ClusterTokenClaims): Promise<string[]> {
  const answer = await askInTime(ask, claims.sid)
  if (answer.objectId !== claims.oid)
    throw new SallyportError('ERR_BIND_REFUSED', 'the cluster token was not accepted', {
      why: 'the hub knows the session as that of another principal',
    })
  // Older than the token: a membership that has ended since could still be among them.
  if (answer.rev < claims.rev)
    throw new SallyportError('ERR_HUB_UNREACHABLE', 'the hub told groups older than the token')
  return answer.groups
}

async function askInTime(ask: AskGroups, sessionId: string): Promise<AgentGroups> {
  const signal = AbortSignal.timeout(limits.groupsTimeoutMs)
  try {
    return await ask(sessionId, signal)
  } catch (cause) {
    if (isSallyportError(cause) && cause.code === 'ERR_SESSION_ENDED') throw cause
    throw new SallyportError(
      'ERR_HUB_UNREACHABLE',
      'the agent could not ask the hub for the groups of the principal',
      { cause, ...(isSallyportError(cause) ? { why: cause.message } : {}) },
    )
  }
}
