/**
 * What follows when features of a cluster are switched.
 * @module
 */
import type { Transaction } from 'kysely'
import { SallyportError, limits } from '@sallyport/protocol'
import type { Database } from '../store/database.ts'
import { readFeatures } from './features.ts'
import { revoke } from './revocations.ts'
import type { ClusterTable } from './tables.ts'

/** @throws SallyportError ERR_FEATURE_DISABLED when nobody may reach the cluster through this hub. */
export function requireClusterConnect(cluster: ClusterTable): void {
  if (!readFeatures(cluster.disabled_features).includes('cluster-connect')) return
  throw new SallyportError(
    'ERR_FEATURE_DISABLED',
    `the feature 'cluster-connect' of cluster '${cluster.name}' is switched off`,
  )
}

/** Ends the running sessions of a cluster when `cluster-connect` has just been switched off; in the transaction of the change. */
export async function applyFeatures(
  trx: Transaction<Database>,
  change: { cluster: ClusterTable; disabled: string; now: number },
): Promise<void> {
  const { cluster, disabled, now } = change
  const wasOff = readFeatures(cluster.disabled_features).includes('cluster-connect')
  if (wasOff || !readFeatures(disabled).includes('cluster-connect')) return
  const reason = 'cluster-connect disabled'
  const rows = await trx
    .selectFrom('sessions')
    .select('session_id')
    .where('cluster_key', '=', cluster.cluster_key)
    .where('ended_at', 'is', null)
    .execute()
  if (rows.length > limits.revocationsForOneChange)
    await revoke(trx, { kind: 'all' }, { reason, now })
  else {
    for (const { session_id: sessionId } of rows) {
      await revoke(trx, { kind: 'session', sessionId }, { reason, now })
    }
  }
  await trx
    .updateTable('sessions')
    .set({ ended_at: now, ended_reason: reason })
    .where('cluster_key', '=', cluster.cluster_key)
    .where('ended_at', 'is', null)
    .execute()
}
