/**
 * What every store keeps, whatever it is built on.
 * @module
 */
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Store } from '../../src/store/store.ts'
import { ensureSubscription } from '../../src/registry/subscriptions.ts'

/** A store and how to open the same data again. */
export interface StoreUnderTest extends AsyncDisposable {
  store: Store
  reopen: () => Promise<Store>
}

const names = async (store: Store): Promise<string[]> => {
  const rows = await store.db.selectFrom('subscriptions').select('display_name').execute()
  return rows.map((row) => row.display_name).sort()
}

const subscription = (name: string) => ({
  subscription_id: randomUUID(),
  display_name: name,
  created_at: 1,
})

/** Runs the suite against stores made by `make`. */
export function storeContract(name: string, make: () => Promise<StoreUnderTest>): void {
  describe(`store contract: ${name}`, () => {
    let subject: StoreUnderTest
    let store: Store
    beforeEach(async () => {
      subject = await make()
      store = subject.store
    })
    afterEach(async () => {
      await subject[Symbol.asyncDispose]()
    })

    const add = (text: string) =>
      store.db.insertInto('subscriptions').values(subscription(text)).execute()

    test('answers a ping, and no longer when closed', async () => {
      await store.ping()
      await store.close()
      await expect(store.ping()).rejects.toThrow()
    })

    test('lets the transaction at work end when it is closed, and refuses those that wait', async () => {
      const entered = Promise.withResolvers<undefined>()
      const leave = Promise.withResolvers<undefined>()
      const insert = (name: string) => async (trx: Store['db']) => {
        await trx.insertInto('subscriptions').values(subscription(name)).execute()
      }
      const running = store.transaction(async (trx) => {
        entered.resolve(undefined)
        await leave.promise
        await insert('running')(trx)
      })
      await entered.promise
      const waiting = expect(store.transaction(insert('waiting'))).rejects.toThrow('closed')
      const closing = store.close()
      leave.resolve(undefined)
      await Promise.all([running, waiting, closing])
      store = await subject.reopen()
      expect(await names(store)).toEqual(['running'])
    })

    test('keeps what a transaction without a wait for the disk wrote, and rolls it back too', async () => {
      const relaxed = { durable: false }
      await store.transaction(async (trx) => {
        await trx.insertInto('subscriptions').values(subscription('a')).execute()
      }, relaxed)
      await expect(
        store.transaction(async (trx) => {
          await trx.insertInto('subscriptions').values(subscription('b')).execute()
          throw new Error('changed my mind')
        }, relaxed),
      ).rejects.toThrow('changed my mind')
      await add('c')
      await store.close()
      store = await subject.reopen()
      expect(await names(store)).toEqual(['a', 'c'])
    })

    test('keeps what was written across a reopen', async () => {
      await add('a')
      await store.close()
      store = await subject.reopen()
      expect(await names(store)).toEqual(['a'])
    })

    test('commits all of a transaction or nothing', async () => {
      await store.transaction(async (trx) => {
        await trx.insertInto('subscriptions').values(subscription('a')).execute()
        await trx.insertInto('subscriptions').values(subscription('b')).execute()
      })
      await expect(
        store.transaction(async (trx) => {
          await trx.insertInto('subscriptions').values(subscription('c')).execute()
          throw new Error('changed my mind')
        }),
      ).rejects.toThrow('changed my mind')
      expect(await names(store)).toEqual(['a', 'b'])
    })

    test('returns the value of a transaction and sees its own writes in it', async () => {
      const count = await store.transaction(async (trx) => {
        await trx.insertInto('subscriptions').values(subscription('a')).execute()
        const rows = await trx.selectFrom('subscriptions').selectAll().execute()
        return rows.length
      })
      expect(count).toBe(1)
    })

    test('shows nobody a half-done transaction, and lets others read and write meanwhile', async () => {
      const entered = Promise.withResolvers<undefined>()
      const leave = Promise.withResolvers<undefined>()
      const running = store.transaction(async (trx) => {
        await trx.insertInto('subscriptions').values(subscription('inside')).execute()
        entered.resolve(undefined)
        await leave.promise
        throw new Error('roll back')
      })
      await entered.promise
      expect(await names(store)).toEqual([])
      const outside = add('outside')
      const other = store.transaction((trx) =>
        trx.insertInto('subscriptions').values(subscription('other')).execute(),
      )
      leave.resolve(undefined)
      await expect(running).rejects.toThrow('roll back')
      await Promise.all([outside, other])
      expect(await names(store)).toEqual(['other', 'outside'])
    })

    test('runs parallel read-then-write transactions one after another', async () => {
      await add('0')
      await Promise.all(
        Array.from({ length: 50 }, () =>
          store.transaction(async (trx) => {
            const row = await trx
              .selectFrom('subscriptions')
              .select('display_name')
              .executeTakeFirstOrThrow()
            await trx
              .updateTable('subscriptions')
              .set({ display_name: String(Number(row.display_name) + 1) })
              .execute()
          }),
        ),
      )
      expect(await names(store)).toEqual(['50'])
    })

    test('stays usable after a broken statement in a transaction', async () => {
      const row = subscription('twice')
      await expect(
        store.transaction(async (trx) => {
          await trx.insertInto('subscriptions').values(row).execute()
          await trx.insertInto('subscriptions').values(row).execute()
        }),
      ).rejects.toThrow()
      await add('after')
      expect(await names(store)).toEqual(['after'])
    })

    test('makes the first subscription once, whoever comes first', async () => {
      const ids = await Promise.all(
        Array.from({ length: 20 }, () => ensureSubscription(store, { now: 1 })),
      )
      expect(new Set(ids).size).toBe(1)
      expect(await names(store)).toEqual(['Default'])
    })

    test('takes the rows below a resource along when it goes', async () => {
      await store.db
        .insertInto('subscriptions')
        .values({ subscription_id: 's', display_name: 's', created_at: 1 })
        .execute()
      await store.db
        .insertInto('resource_groups')
        .values({
          subscription_id: 's',
          group_key: 'g',
          name: 'g',
          location: 'l',
          tags: '{}',
          created_at: 1,
        })
        .execute()
      await expect(
        store.db.deleteFrom('subscriptions').where('subscription_id', '=', 's').execute(),
      ).rejects.toThrow()
      const result = await store.db
        .deleteFrom('resource_groups')
        .where('group_key', '=', 'g')
        .executeTakeFirst()
      expect(result.numDeletedRows).toBe(1n)
    })
  })
}
