/**
 * Tables of outside issuers, see `identity/issuers/tables.ts`.
 * @module
 */
import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import { table } from './columns.ts'

/** Creates outside issuers, accounts and groups. */
export const issuersMigration: Migration = { up }

async function up(db: Kysely<unknown>): Promise<void> {
  await table(db, 'outside_issuers', {
    alias: 'text',
    issuer: 'text',
    kind: 'text',
    display_name: 'text',
    config: 'text',
    enabled: 'integer',
    created_at: 'bigint',
    modified_at: 'bigint',
  })
    .addPrimaryKeyConstraint('outside_issuers_pk', ['alias'])
    .addUniqueConstraint('outside_issuers_issuer', ['issuer'])
    .execute()
  await table(db, 'outside_accounts', {
    issuer: 'text',
    subject: 'text',
    object_id: 'text',
    created_at: 'bigint',
  })
    .addPrimaryKeyConstraint('outside_accounts_pk', ['issuer', 'subject'])
    .addUniqueConstraint('outside_accounts_object', ['object_id'])
    .addForeignKeyConstraint(
      'outside_accounts_user_fk',
      ['object_id'],
      'users',
      ['object_id'],
      (constraint) => constraint.onDelete('cascade'),
    )
    .execute()
  await table(db, 'outside_groups', { object_id: 'text', group_name: 'text' })
    .addPrimaryKeyConstraint('outside_groups_pk', ['object_id', 'group_name'])
    .addForeignKeyConstraint(
      'outside_groups_user_fk',
      ['object_id'],
      'users',
      ['object_id'],
      (constraint) => constraint.onDelete('cascade'),
    )
    .execute()
}
