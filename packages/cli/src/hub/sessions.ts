/**
 * Sessions at the hub.
 * @module
 */
import { SallyportError } from '@sallyport/protocol'
import Type, { type Static } from 'typebox'
import type { Scope } from './clusters.ts'

const SessionSchema = Type.Object(
  { sessionId: Type.String(), clusterId: Type.String(), principalId: Type.String() },
  { additionalProperties: true },
)
export type SessionInfo = Static<typeof SessionSchema>

const base = '/sallyport/v1/sessions'

/** @throws SallyportError ERR_USAGE when the text cannot be a session. */
function sessionPath(id: string): string {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) return `${base}/${id}`
  throw new SallyportError('ERR_USAGE', `'${id}' is not the id of a session`, {
    remedy: 'list the ids: sallyport session list',
  })
}

/** Sessions of a principal, of everybody when absent. */
export function listSessions(scope: Scope, principal?: string): Promise<SessionInfo[]> {
  const query = principal === undefined ? '' : `?principal=${encodeURIComponent(principal)}`
  const call = { method: 'GET' as const, path: `${base}${query}`, signal: scope.signal }
  return scope.client.list(call, SessionSchema, 'list of sessions')
}

/** One session. */
export function getSession(scope: Scope, id: string): Promise<SessionInfo> {
  const call = { method: 'GET' as const, path: sessionPath(id), signal: scope.signal }
  return scope.client.json(call, SessionSchema, 'session')
}

/** Ends a session. */
export async function killSession(scope: Scope, id: string): Promise<void> {
  await scope.client.complete({ method: 'DELETE', path: sessionPath(id), signal: scope.signal })
}
