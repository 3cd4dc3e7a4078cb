/**
 * Records of operations stay bounded.
 * @module
 */
import { expect, test } from 'vitest'
import { limits } from '@sallyport/protocol'
import { findOperation, recordOperation } from '../../src/registry/operations.ts'
import { openStore } from '../../src/store/store.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

test('forgets operations by age and by number, the newest stay', async () => {
  using directory = temporaryDirectory()
  const store = await openStore({ directory: directory.path })
  const count = async (): Promise<number> =>
    (await store.db.selectFrom('operations').select('operation_id').execute()).length
  const record = (now: number) =>
    store.transaction((trx) => recordOperation(trx, { subscriptionId: 'S', resourceId: '/x', now }))
  await store.transaction(async (trx) => {
    for (let index = 0; index < limits.operationsKept + 5; index += 1) {
      await trx
        .insertInto('operations')
        .values({
          operation_id: String(index),
          subscription_id: 's',
          resource_id: '/x',
          status: 'Succeeded',
          started_at: index,
          ended_at: index,
        })
        .execute()
    }
  })
  const newest = await record(limits.operationsKept + 10)
  expect(await count()).toBe(limits.operationsKept)
  const key = { subscriptionId: 'S', operationId: newest.operation_id.toUpperCase() }
  expect(await findOperation(store.db, key)).toMatchObject({ status: 'Succeeded' })
  expect(await findOperation(store.db, { ...key, subscriptionId: 'other' })).toBeUndefined()
  await record(limits.operationsKept + 10 + limits.operationTtlMs)
  expect(await count()).toBe(1)
  await store.close()
})
