/**
 * Connected clusters: found and listed with what is known of their agents.
 * @module
 */
import type { Kysely } from 'kysely'
import { formatClusterId, type ClusterId } from '@sallyport/protocol'
import type { Database } from '../store/database.ts'
import type { AgentTable, ClusterTable, EnrolmentTable, PresenceTable } from './tables.ts'

/** A cluster with its agent's traces. */
export interface ClusterRecord {
  cluster: ClusterTable
  agent: AgentTable | undefined
  enrolment: EnrolmentTable | undefined
  presence: PresenceTable[]
}

/** Key of a cluster: its lower-cased ARM id. */
export function clusterKey(id: ClusterId): string {
  return formatClusterId(id).toLowerCase()
}

/** One cluster, undefined when there is none. */
export async function findCluster(
  db: Kysely<Database>,
  id: ClusterId,
): Promise<ClusterRecord | undefined> {
  const rows = await db
    .selectFrom('clusters')
    .selectAll()
    .where('cluster_key', '=', clusterKey(id))
    .execute()
  const [record] = await withAgents(db, rows)
  return record
}

/** Where a page of a list begins and how long it is. */
export interface ClusterPage {
  subscriptionId: string
  /** Only this resource group. */
  resourceGroup: string | undefined
  /** Lower-cased resource group and name of the last cluster of the page before. */
  after: readonly [string, string] | undefined
  limit: number
}

/**
 * Clusters by resource group and name. The order hangs on names alone, so a cluster that stays is listed exactly once whatever
 * comes and goes between two pages.
 */
export async function listClusters(
  db: Kysely<Database>,
  page: ClusterPage,
): Promise<ClusterRecord[]> {
  const { after, resourceGroup } = page
  let query = db
    .selectFrom('clusters')
    .selectAll()
    .where('subscription_id', '=', page.subscriptionId.toLowerCase())
  if (resourceGroup !== undefined) {
    query = query.where('group_key', '=', resourceGroup.toLowerCase())
  }
  if (after !== undefined) {
    query = query.where((eb) =>
      eb(eb.refTuple('group_key', 'name_key'), '>', eb.tuple(after[0], after[1])),
    )
  }
  const rows = await query.orderBy('group_key').orderBy('name_key').limit(page.limit).execute()
  return withAgents(db, rows)
}

async function withAgents(
  db: Kysely<Database>,
  clusters: ClusterTable[],
): Promise<ClusterRecord[]> {
  if (clusters.length === 0) return []
  const keys = clusters.map((cluster) => cluster.cluster_key)
  const of = <T extends { cluster_key: string }>(rows: T[]): Map<string, T[]> =>
    Map.groupBy(rows, (row) => row.cluster_key)
  const agents = of(
    await db.selectFrom('agents').selectAll().where('cluster_key', 'in', keys).execute(),
  )
  const enrolments = of(
    await db.selectFrom('enrolments').selectAll().where('cluster_key', 'in', keys).execute(),
  )
  const presence = of(
    await db.selectFrom('presence').selectAll().where('cluster_key', 'in', keys).execute(),
  )
  return clusters.map((cluster) => ({
    cluster,
    agent: agents.get(cluster.cluster_key)?.[0],
    enrolment: enrolments.get(cluster.cluster_key)?.[0],
    presence: presence.get(cluster.cluster_key) ?? [],
  }))
}
