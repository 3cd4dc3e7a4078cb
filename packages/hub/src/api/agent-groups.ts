/**
 * All groups of the principal of a session, for the agent it is bound to: a cluster token carries no more than a few hundred.
 * @module
 */
import {
  AgentGroupsRequestSchema,
  AgentGroupsSchema,
  SallyportError,
  agentApiPaths,
  limits,
} from '@sallyport/protocol'
import type { Kysely } from 'kysely'
import { loadPrincipal } from '../identity/directory/principals.ts'
import { currentRevision } from '../registry/revocations.ts'
import type { Database } from '../store/database.ts'
import { agentOf, agentOnly } from './access.ts'
import type { Api } from './api-instance.ts'
import type { ApiContext } from './context.ts'

/** Adds the route. */
export function registerAgentGroups(api: Api, { store, tenantId }: ApiContext): void {
  api.post(
    agentApiPaths.groups,
    {
      config: agentOnly,
      schema: { body: AgentGroupsRequestSchema, response: { 200: AgentGroupsSchema } },
    },
    async (request) => {
      const objectId = await principalOf(store.db, {
        sessionId: request.body.sessionId.toLowerCase(),
        clusterKey: agentOf(request).cluster_key,
      })
      // Before the groups: they may be newer than the number says, never older.
      const rev = await currentRevision(store.db)
      const principal = await loadPrincipal(store.db, objectId, tenantId)
      if (principal === undefined) throw ended()
      const { groups } = principal
      if (groups.length > limits.groupsPerPrincipal) throw tooMany(groups.length)
      return { objectId, rev, groups }
    },
  )
}

/** Whose session it is; one of another cluster, one that ended and one that never was are the same to the caller. */
async function principalOf(
  db: Kysely<Database>,
  of: { sessionId: string; clusterKey: string },
): Promise<string> {
  const session = await db
    .selectFrom('sessions')
    .select('principal_id')
    .where('session_id', '=', of.sessionId)
    .where('cluster_key', '=', of.clusterKey)
    .where('ended_at', 'is', null)
    .executeTakeFirst()
  if (session !== undefined) return session.principal_id
  throw ended()
}

function ended(): SallyportError {
  return new SallyportError('ERR_SESSION_ENDED', 'there is no such session of this cluster')
}

function tooMany(count: number): SallyportError {
  return new SallyportError(
    'ERR_GUARD_IDENTITY',
    `the principal has ${count} groups, ${limits.groupsPerPrincipal} are the most`,
  )
}
