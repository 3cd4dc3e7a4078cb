/**
 * Who loses the way to a cluster by a change of assignments, and the cutting off of their live sessions.
 * @module
 */
import type { Kysely, Transaction } from 'kysely'
import { limits } from '@sallyport/protocol'
import { revoke } from '../registry/revocations.ts'
import type { Database } from '../store/database.ts'
import type { Action } from './actions.ts'
import { findAssignee, peopleOf, withGroups } from './assignees.ts'
import { covers, grantsAt, type Grant } from './granted.ts'
import { roleAllows } from './roles.ts'
import { checkedScope } from './scopes.ts'

/** What lets a principal open and keep sessions. */
const wayIn: Action = 'Microsoft.Kubernetes/connectedClusters/listClusterUserCredential/action'

/** Why access ended, and when. */
export interface Loss {
  reason: string
  now: number
}

/**
 * Ends the sessions of those for whom `lost`, grants that are no longer in force, was the only way to the clusters in their
 * scope. Called after the change, in its transaction.
 */
export async function cutOff(
  trx: Transaction<Database>,
  lost: readonly Grant[],
  loss: Loss,
): Promise<void> {
  const affected = new Set<string>()
  for (const { assignment, role } of lost) {
    if (!roleAllows(role.permissions, wayIn)) continue
    for (const id of await peopleOf(trx, assignment.principal_id)) {
      if (!affected.has(id) && !(await mayStill(trx, id, { scope: assignment.scope, ...loss }))) {
        affected.add(id)
      }
      if (affected.size > limits.revocationsForOneChange) {
        await revoke(trx, { kind: 'all' }, loss)
        return
      }
    }
  }
  for (const objectId of affected) await revoke(trx, { kind: 'principal', objectId }, loss)
}

async function mayStill(
  db: Kysely<Database>,
  objectId: string,
  at: { scope: string; now: number },
): Promise<boolean> {
  if ((await findAssignee(db, objectId))?.administrator === true) return true
  const question = { ids: await withGroups(db, objectId), now: at.now }
  return covers(await grantsAt(db, question, checkedScope(at.scope)), wayIn)
}
