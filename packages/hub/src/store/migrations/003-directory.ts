/**
 * Tables of the directory, see `identity/directory/tables.ts`.
 * @module
 */
import type { CreateTableBuilder, Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import { table } from './columns.ts'

/** Creates users, groups, memberships and the further credentials of service principals. */
export const directoryMigration: Migration = { up }

async function up(db: Kysely<unknown>): Promise<void> {
  await table(db, 'users', {
    object_id: 'text',
    user_principal_name: 'text',
    upn_key: 'text',
    display_name: 'text',
    mail: 'text?',
    password_hash: 'text?',
    enabled: 'integer',
    administrator: 'integer',
    revoked_seq: 'bigint',
    created_at: 'bigint',
  })
    .addPrimaryKeyConstraint('users_pk', ['object_id'])
    .addUniqueConstraint('users_upn', ['upn_key'])
    .execute()
  await groups(db)
  await servicePrincipals(db)
}

async function groups(db: Kysely<unknown>): Promise<void> {
  await table(db, 'directory_groups', {
    object_id: 'text',
    display_name: 'text',
    description: 'text?',
    created_at: 'bigint',
  })
    .addPrimaryKeyConstraint('directory_groups_pk', ['object_id'])
    .execute()
  await table(db, 'group_members', {
    group_id: 'text',
    member_id: 'text',
    member_kind: 'text',
  })
    .addPrimaryKeyConstraint('group_members_pk', ['group_id', 'member_id'])
    .addForeignKeyConstraint(
      'group_members_group_fk',
      ['group_id'],
      'directory_groups',
      ['object_id'],
      (constraint) => constraint.onDelete('cascade'),
    )
    .execute()
  await db.schema
    .createIndex('group_members_member')
    .on('group_members')
    .column('member_id')
    .execute()
}

async function servicePrincipals(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('service_principals')
    .addColumn('revoked_seq', 'bigint', (column) => column.notNull().defaultTo(0))
    .execute()
  await db.schema
    .alterTable('service_principal_secrets')
    .addColumn('display_name', 'text')
    .execute()
  await ofServicePrincipal(
    table(db, 'service_principal_certificates', {
      key_id: 'text',
      object_id: 'text',
      display_name: 'text?',
      thumbprint_sha256: 'text',
      certificate: 'text',
      created_at: 'bigint',
      expires_at: 'bigint',
    }).addPrimaryKeyConstraint('service_principal_certificates_pk', ['key_id']),
    'service_principal_certificates',
  ).execute()
  await ofServicePrincipal(
    table(db, 'federated_credentials', {
      credential_id: 'text',
      object_id: 'text',
      name: 'text',
      issuer: 'text',
      subject: 'text',
      audience: 'text',
      created_at: 'bigint',
    })
      .addPrimaryKeyConstraint('federated_credentials_pk', ['credential_id'])
      .addUniqueConstraint('federated_credentials_name', ['object_id', 'name'])
      .addUniqueConstraint('federated_credentials_subject', ['object_id', 'issuer', 'subject']),
    'federated_credentials',
  ).execute()
}

/** Credentials go with their service principal. */
function ofServicePrincipal(
  builder: CreateTableBuilder<string, string>,
  name: string,
): CreateTableBuilder<string, string> {
  return builder.addForeignKeyConstraint(
    `${name}_principal_fk`,
    ['object_id'],
    'service_principals',
    ['object_id'],
    (constraint) => constraint.onDelete('cascade'),
  )
}
