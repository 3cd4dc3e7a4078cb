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
import { currentRevision } from '../registry/revocations.ts'
import type { Database } from '../store/database.ts'
import { agentOf, agentOnly } from './access.ts'
import type { Api } from './api-instance.ts'
import type { ApiContext } from './context.ts'

/** Adds the route. */
export function registerAgentGroups(api: Api, { store }: ApiContext): void {
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
      const groups = await groupsOf(store.db, objectId)
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
  throw new SallyportError('ERR_SESSION_ENDED', 'there is no such session of this cluster')
}

/** Ids of the groups, nested ones included, and the names an outside issuer gave; each once. */
async function groupsOf(db: Kysely<Database>, objectId: string): Promise<string[]> {
  const own = await db
    .withRecursive('above(group_id)', (cte) =>
      cte
        .selectFrom('group_members')
        .select('group_id')
        .where('member_id', '=', objectId)
        .union(
          cte
            .selectFrom('above')
            .innerJoin('group_members as next', 'next.member_id', 'above.group_id')
            .select('next.group_id'),
        ),
    )
    .selectFrom('above')
    .select('group_id')
    .execute()
  const outside = await db
    .selectFrom('outside_groups')
    .select('group_name')
    .where('object_id', '=', objectId)
    .execute()
  const names = [...own.map((row) => row.group_id), ...outside.map((row) => row.group_name)]
  return Array.from(new Set(names)).sort()
}

function tooMany(count: number): SallyportError {
  return new SallyportError(
    'ERR_GUARD_IDENTITY',
    `the principal has ${count} groups, ${limits.groupsPerPrincipal} are the most`,
  )
}
