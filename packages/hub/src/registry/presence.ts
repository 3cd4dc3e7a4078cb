/**
 * Presence: each heartbeat renews the lease of one agent process and keeps what it reports about the cluster.
 * @module
 */
import type { Kysely } from 'kysely'
import { limits, type Heartbeat } from '@sallyport/protocol'
import type { Database } from '../store/database.ts'
import type { Store } from '../store/store.ts'
import type { ClusterTable } from './tables.ts'

/** One heartbeat, whose sender has proven to be the agent of `clusterKey`. */
export interface HeartbeatInput {
  clusterKey: string
  /** Hub node that got it. */
  node: string
  heartbeat: Heartbeat
  now: number
}

/** Stores one heartbeat, without a wait for the disk: the next one comes soon. */
export async function recordHeartbeat(store: Store, input: HeartbeatInput): Promise<void> {
  const { clusterKey, heartbeat, node, now } = input
  const lease = {
    node,
    last_seen: now,
    listening: heartbeat.listening ? 1 : 0,
    stopped: heartbeat.state === 'stopping' ? 1 : 0,
  }
  await store.transaction(
    async (trx) => {
      const renewed = await trx
        .updateTable('presence')
        .set(lease)
        .where('cluster_key', '=', clusterKey)
        .where('instance', '=', heartbeat.instance)
        .executeTakeFirst()
      if (renewed.numUpdatedRows === 0n) {
        const epoch = await nextEpoch(trx, clusterKey)
        await dropOldRows(trx, clusterKey, now)
        await trx
          .insertInto('presence')
          .values({ cluster_key: clusterKey, instance: heartbeat.instance, epoch, ...lease })
          .execute()
      }
      await keepReport(trx, clusterKey, heartbeat)
    },
    { durable: false },
  )
}

async function nextEpoch(db: Kysely<Database>, clusterKey: string): Promise<number> {
  const row = await db
    .selectFrom('presence')
    .select((eb) => eb.fn.max('epoch').as('epoch'))
    .where('cluster_key', '=', clusterKey)
    .executeTakeFirst()
  return (row?.epoch ?? 0) + 1
}

/** A new process makes room: ended leases go, and of living ones the newest stay up to the limit. */
async function dropOldRows(db: Kysely<Database>, clusterKey: string, now: number): Promise<void> {
  await db
    .deleteFrom('presence')
    .where('cluster_key', '=', clusterKey)
    .where('last_seen', '<=', now - limits.agentPresenceLeaseMs)
    .execute()
  const surplus = await db
    .selectFrom('presence')
    .select('instance')
    .where('cluster_key', '=', clusterKey)
    .orderBy('epoch', 'desc')
    .limit(limits.presenceRowsPerCluster)
    .offset(limits.presenceRowsPerCluster - 1)
    .execute()
  if (surplus.length === 0) return
  await db
    .deleteFrom('presence')
    .where('cluster_key', '=', clusterKey)
    .where(
      'instance',
      'in',
      surplus.map((row) => row.instance),
    )
    .execute()
}

type Report = Pick<
  ClusterTable,
  | 'agent_version'
  | 'kubernetes_version'
  | 'total_node_count'
  | 'total_core_count'
  | 'reported_distribution'
  | 'reported_infrastructure'
>

/** Writes the reported facts only when one changed: most heartbeats bring nothing new. */
async function keepReport(
  db: Kysely<Database>,
  clusterKey: string,
  heartbeat: Heartbeat,
): Promise<void> {
  const old = await db
    .selectFrom('clusters')
    .select([
      'agent_version',
      'kubernetes_version',
      'total_node_count',
      'total_core_count',
      'reported_distribution',
      'reported_infrastructure',
    ])
    .where('cluster_key', '=', clusterKey)
    .executeTakeFirst()
  if (old === undefined) return
  const report: Report = {
    agent_version: heartbeat.agentVersion,
    kubernetes_version: heartbeat.kubernetesVersion ?? old.kubernetes_version,
    total_node_count: heartbeat.totalNodeCount ?? old.total_node_count,
    total_core_count: heartbeat.totalCoreCount ?? old.total_core_count,
    reported_distribution: heartbeat.distribution ?? old.reported_distribution,
    reported_infrastructure: heartbeat.infrastructure ?? old.reported_infrastructure,
  }
  const names = Object.keys(report) as (keyof Report)[]
  if (names.every((name) => report[name] === old[name])) return
  await db.updateTable('clusters').set(report).where('cluster_key', '=', clusterKey).execute()
}

/** Agent processes of all clusters whose lease runs. */
export async function connectedInstances(db: Kysely<Database>, now: number): Promise<string[]> {
  const rows = await db
    .selectFrom('presence')
    .select('instance')
    .where('last_seen', '>', now - limits.agentPresenceLeaseMs)
    .where('stopped', '=', 0)
    .limit(limits.relayEntities)
    .execute()
  return rows.map((row) => row.instance)
}
