/**
 * Revocations and the ends of sessions, see `registry/tables.ts`.
 * @module
 */
import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import { table } from './columns.ts'

/** Creates the list of revocations; sessions learn to end. */
export const revocationsMigration: Migration = { up }

async function up(db: Kysely<unknown>): Promise<void> {
  await table(db, 'revocations', {
    seq: 'bigint',
    kind: 'text',
    target: 'text',
    reason: 'text',
    created_at: 'bigint',
  })
    .addPrimaryKeyConstraint('revocations_pk', ['seq'])
    .execute()
  await db.schema.alterTable('sessions').addColumn('ended_at', 'bigint').execute()
  await db.schema.alterTable('sessions').addColumn('ended_reason', 'text').execute()
  await db.schema.alterTable('sessions').addColumn('sign_in', 'text').execute()
  await db.schema.createIndex('sessions_sign_in').on('sessions').column('sign_in').execute()
}
