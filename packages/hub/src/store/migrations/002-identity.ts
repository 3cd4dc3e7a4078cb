/**
 * Tables of identity, see `identity/tables.ts`.
 * @module
 */
import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Creates the tables of identity. */
export const identityMigration: Migration = { up, down }

async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('service_principals')
    .addColumn('object_id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('app_id', 'text', (column) => column.notNull().unique())
    .addColumn('display_name', 'text', (column) => column.notNull())
    .addColumn('enabled', 'integer', (column) => column.notNull())
    .addColumn('administrator', 'integer', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('service_principal_secrets')
    .addColumn('key_id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('object_id', 'text', (column) =>
      column.notNull().references('service_principals.object_id').onDelete('cascade'),
    )
    .addColumn('salt', 'text', (column) => column.notNull())
    .addColumn('hash', 'text', (column) => column.notNull())
    .addColumn('cost', 'integer', (column) => column.notNull())
    .addColumn('block_size', 'integer', (column) => column.notNull())
    .addColumn('parallelism', 'integer', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint')
    .execute()
  await db.schema
    .createIndex('service_principal_secrets_object')
    .on('service_principal_secrets')
    .column('object_id')
    .execute()
  await oidcTable(db)
  await db.schema
    .createTable('hub_settings')
    .addColumn('name', 'text', (column) => column.primaryKey().notNull())
    .addColumn('value', 'text', (column) => column.notNull())
    .execute()
}

async function oidcTable(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('oidc')
    .addColumn('model', 'text', (column) => column.notNull())
    .addColumn('id', 'text', (column) => column.notNull())
    .addColumn('grant_id', 'text')
    .addColumn('account_id', 'text')
    .addColumn('uid', 'text')
    .addColumn('user_code', 'text')
    .addColumn('payload', 'text', (column) => column.notNull())
    .addColumn('expires_at', 'bigint')
    .addColumn('consumed_at', 'bigint')
    .addPrimaryKeyConstraint('oidc_pk', ['model', 'id'])
    .execute()
  for (const column of ['grant_id', 'account_id', 'uid', 'user_code', 'expires_at']) {
    await db.schema.createIndex(`oidc_${column}`).on('oidc').column(column).execute()
  }
}

async function down(db: Kysely<unknown>): Promise<void> {
  for (const table of ['hub_settings', 'oidc', 'service_principal_secrets', 'service_principals']) {
    await db.schema.dropTable(table).execute()
  }
}
