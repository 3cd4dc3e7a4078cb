/**
 * Enrolled agents, found by the id they sign with or by their cluster.
 * @module
 */
import type { Kysely } from 'kysely'
import type { Database } from '../store/database.ts'
import type { AgentTable } from './tables.ts'

/** An agent with what a route needs of its cluster. */
export interface EnrolledAgent extends AgentTable {
  resource_id: string
  hash: string
}

/** The agent with this id, undefined when there is none (any more). */
export async function findAgent(
  db: Kysely<Database>,
  agentId: string,
): Promise<EnrolledAgent | undefined> {
  return db
    .selectFrom('agents')
    .innerJoin('clusters', 'clusters.cluster_key', 'agents.cluster_key')
    .selectAll('agents')
    .select(['clusters.resource_id', 'clusters.hash'])
    .where('agents.agent_id', '=', agentId)
    .executeTakeFirst()
}
