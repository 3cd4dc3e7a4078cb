/**
 * Tables of authorization, see `authorization/tables.ts`.
 * @module
 */
import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import { table } from './columns.ts'

/** Creates custom role definitions and role assignments; clusters learn which features are off. */
export const authorizationMigration: Migration = { up }

async function up(db: Kysely<unknown>): Promise<void> {
  await table(db, 'role_definitions', {
    role_id: 'text',
    role_name: 'text',
    name_key: 'text',
    description: 'text',
    permissions: 'text',
    assignable_scopes: 'text',
    created_by: 'text',
    created_at: 'bigint',
    modified_by: 'text',
    modified_at: 'bigint',
  })
    .addPrimaryKeyConstraint('role_definitions_pk', ['role_id'])
    .addUniqueConstraint('role_definitions_name', ['name_key'])
    .execute()
  await table(db, 'role_assignments', {
    assignment_id: 'text',
    scope: 'text',
    scope_key: 'text',
    role_id: 'text',
    principal_id: 'text',
    principal_type: 'text',
    description: 'text?',
    expires_at: 'bigint?',
    expiry_done: 'integer',
    created_by: 'text',
    created_at: 'bigint',
    modified_by: 'text',
    modified_at: 'bigint',
  })
    .addPrimaryKeyConstraint('role_assignments_pk', ['assignment_id'])
    .addUniqueConstraint('role_assignments_same', ['scope_key', 'role_id', 'principal_id'])
    .execute()
  for (const column of ['principal_id', 'role_id', 'expires_at'] as const) {
    await db.schema
      .createIndex(`role_assignments_${column}`)
      .on('role_assignments')
      .column(column)
      .execute()
  }
  await db.schema
    .alterTable('clusters')
    .addColumn('disabled_features', 'text', (column) =>
      column.notNull().defaultTo('["custom-locations"]'),
    )
    .execute()
}
