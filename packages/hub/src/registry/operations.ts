/**
 * Long-running operations as clients poll them. Ours are done within the request; the record lets every client finish its poll.
 * @module
 */
import { randomUUID } from 'node:crypto'
import type { Kysely } from 'kysely'
import { limits } from '@sallyport/protocol'
import type { Database } from '../store/database.ts'
import type { OperationTable } from './tables.ts'

/** Records a finished operation on a resource; returns the record. Old records go, by age and by number. */
export async function recordOperation(
  db: Kysely<Database>,
  subject: { subscriptionId: string; resourceId: string; now: number },
): Promise<OperationTable> {
  await db
    .deleteFrom('operations')
    .where('ended_at', '<=', subject.now - limits.operationTtlMs)
    .execute()
  const surplus = await db
    .selectFrom('operations')
    .select('operation_id')
    .orderBy('ended_at', 'desc')
    .limit(limits.armPageSize)
    .offset(limits.operationsKept - 1)
    .execute()
  if (surplus.length > 0) {
    await db
      .deleteFrom('operations')
      .where(
        'operation_id',
        'in',
        surplus.map((row) => row.operation_id),
      )
      .execute()
  }
  const operation: OperationTable = {
    operation_id: randomUUID(),
    subscription_id: subject.subscriptionId.toLowerCase(),
    resource_id: subject.resourceId,
    status: 'Succeeded',
    started_at: subject.now,
    ended_at: subject.now,
  }
  await db.insertInto('operations').values(operation).execute()
  return operation
}

/** The operation with this id in this subscription, undefined when there is none (any more). */
export async function findOperation(
  db: Kysely<Database>,
  key: { subscriptionId: string; operationId: string },
): Promise<OperationTable | undefined> {
  return db
    .selectFrom('operations')
    .selectAll()
    .where('operation_id', '=', key.operationId.toLowerCase())
    .where('subscription_id', '=', key.subscriptionId.toLowerCase())
    .executeTakeFirst()
}
