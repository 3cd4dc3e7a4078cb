/**
 * Subscriptions: the top level of every ARM id. A hub starts with one.
 * @module
 */
import { randomUUID } from 'node:crypto'
import type { Kysely } from 'kysely'
import type { Database } from '../store/database.ts'
import type { Store } from '../store/store.ts'
import type { SubscriptionTable } from './tables.ts'

/** Makes the first subscription, with `first.id` if given, when there is none; returns the id of the oldest. */
export async function ensureSubscription(
  store: Store,
  first: { now: number; id?: string | undefined },
): Promise<string> {
  return store.transaction(async (trx) => {
    const oldest = await trx
      .selectFrom('subscriptions')
      .select('subscription_id')
      .orderBy('created_at')
      .orderBy('subscription_id')
      .limit(1)
      .executeTakeFirst()
    if (oldest !== undefined) return oldest.subscription_id
    const id = first.id?.toLowerCase() ?? randomUUID()
    await trx
      .insertInto('subscriptions')
      .values({ subscription_id: id, display_name: 'Default', created_at: first.now })
      .execute()
    return id
  })
}

/** Subscriptions after `after` (an id), at most `limit`, in the order of their ids. */
export async function listSubscriptions(
  db: Kysely<Database>,
  page: { after: string | undefined; limit: number },
): Promise<SubscriptionTable[]> {
  return db
    .selectFrom('subscriptions')
    .selectAll()
    .$if(page.after !== undefined, (q) => q.where('subscription_id', '>', page.after ?? ''))
    .orderBy('subscription_id')
    .limit(page.limit)
    .execute()
}

/** One subscription, undefined when there is none; `id` in any case. */
export async function findSubscription(
  db: Kysely<Database>,
  id: string,
): Promise<SubscriptionTable | undefined> {
  return db
    .selectFrom('subscriptions')
    .selectAll()
    .where('subscription_id', '=', id.toLowerCase())
    .executeTakeFirst()
}
