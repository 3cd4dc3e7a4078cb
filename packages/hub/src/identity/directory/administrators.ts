/**
 * The last administrator: whoever it is, it stays.
 * @module
 */
import type { Kysely, Transaction } from 'kysely'
import { SallyportError } from '@sallyport/protocol'
import type { Database } from '../../store/database.ts'

/**
 * Called in the transaction that took an enabled administrator away: the hub must have another one.
 * @throws SallyportError ERR_LAST_ADMINISTRATOR, and with it the change is undone.
 */
export async function checkAdministratorLeft(trx: Transaction<Database>): Promise<void> {
  if (await hasAdministrator(trx, 'users')) return
  if (await hasAdministrator(trx, 'service_principals')) return
  throw new SallyportError(
    'ERR_LAST_ADMINISTRATOR',
    'this is the last enabled administrator: it cannot be deleted, disabled or made an ordinary principal',
  )
}

async function hasAdministrator(
  db: Kysely<Database>,
  table: 'users' | 'service_principals',
): Promise<boolean> {
  const row = await db
    .selectFrom(table)
    .select('object_id')
    .where('administrator', '=', 1)
    .where('enabled', '=', 1)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}
