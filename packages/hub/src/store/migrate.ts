/**
 * Brings the schema up to date: numbered steps, each all or nothing, each run once.
 * @module
 */
import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import type { Database } from './database.ts'

/** One step; `version` counts from 1 without gaps. */
export interface MigrationStep {
  version: number
  name: string
  migration: Migration
}

/** Runs the steps that did not run yet, in order. */
export async function migrate(
  db: Kysely<Database>,
  steps: readonly MigrationStep[],
  now: () => number,
): Promise<void> {
  await db.schema
    .createTable('schema_versions')
    .ifNotExists()
    .addColumn('version', 'integer', (column) => column.primaryKey().notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('applied_at', 'bigint', (column) => column.notNull())
    .execute()
  for (const step of steps) {
    await db.transaction().execute(async (trx) => {
      const done = await trx
        .selectFrom('schema_versions')
        .select('version')
        .where('version', '=', step.version)
        .executeTakeFirst()
      if (done !== undefined) return
      await step.migration.up(trx)
      await trx
        .insertInto('schema_versions')
        .values({ version: step.version, name: step.name, applied_at: now() })
        .execute()
    })
  }
}
