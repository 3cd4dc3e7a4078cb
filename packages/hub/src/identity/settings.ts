/**
 * Facts a first start fixes for the life of the data directory.
 * @module
 */
import type { Kysely } from 'kysely'
import { SallyportError } from '@sallyport/protocol'
import type { Database } from '../store/database.ts'

/** Names of the fixed facts. */
export type SettingName = 'tenantId' | 'administratorObjectId' | 'clusterTokenKeyId'

/** The fact, or undefined before it was fixed. */
export async function readSetting(
  db: Kysely<Database>,
  name: SettingName,
): Promise<string | undefined> {
  const row = await db
    .selectFrom('hub_settings')
    .select('value')
    .where('name', '=', name)
    .executeTakeFirst()
  return row?.value
}

/** Fixes or replaces a fact. */
export async function writeSetting(
  db: Kysely<Database>,
  name: SettingName,
  value: string,
): Promise<void> {
  await db
    .insertInto('hub_settings')
    .values({ name, value })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
    .execute()
}

/**
 * The fact, fixed now as `wanted` or made when this is the first start.
 * @throws SallyportError ERR_CONFIG_INVALID when `wanted` differs from what was fixed: ids are in every resource id and token.
 */
export async function fixSetting(
  db: Kysely<Database>,
  name: SettingName,
  { wanted, make }: { wanted: string | undefined; make: () => string },
): Promise<string> {
  const fixed = await readSetting(db, name)
  if (fixed === undefined) {
    const value = wanted ?? make()
    await writeSetting(db, name, value)
    return value
  }
  if (wanted !== undefined && wanted !== fixed) {
    throw new SallyportError(
      'ERR_CONFIG_INVALID',
      `${name} is ${wanted} in the configuration but ${fixed} in the data directory`,
      { remedy: `remove ${name} from the configuration, or use another data directory` },
    )
  }
  return fixed
}
