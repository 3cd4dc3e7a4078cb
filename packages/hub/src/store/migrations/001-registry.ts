/**
 * Tables of the registry, see `registry/tables.ts`.
 * @module
 */
import type { CreateTableBuilder, Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import { table } from './columns.ts'

/** Creates the tables of the registry. */
export const registryMigration: Migration = { up }

async function up(db: Kysely<unknown>): Promise<void> {
  await resources(db)
  await clusters(db)
  await agents(db)
  await activity(db)
}

/** Every table below a cluster goes with it. */
function ofCluster(
  builder: CreateTableBuilder<string, string>,
  name: string,
): CreateTableBuilder<string, string> {
  return builder.addForeignKeyConstraint(
    `${name}_cluster_fk`,
    ['cluster_key'],
    'clusters',
    ['cluster_key'],
    (constraint) => constraint.onDelete('cascade'),
  )
}

async function resources(db: Kysely<unknown>): Promise<void> {
  await table(db, 'subscriptions', {
    subscription_id: 'text',
    display_name: 'text',
    created_at: 'bigint',
  })
    .addPrimaryKeyConstraint('subscriptions_pk', ['subscription_id'])
    .execute()
  await table(db, 'resource_groups', {
    subscription_id: 'text',
    group_key: 'text',
    name: 'text',
    location: 'text',
    tags: 'text',
    created_at: 'bigint',
  })
    .addPrimaryKeyConstraint('resource_groups_pk', ['subscription_id', 'group_key'])
    .addForeignKeyConstraint(
      'resource_groups_subscription_fk',
      ['subscription_id'],
      'subscriptions',
      ['subscription_id'],
    )
    .execute()
}

async function clusters(db: Kysely<unknown>): Promise<void> {
  await table(db, 'clusters', {
    cluster_key: 'text',
    hash: 'text',
    subscription_id: 'text',
    group_key: 'text',
    name_key: 'text',
    resource_id: 'text',
    name: 'text',
    location: 'text',
    tags: 'text',
    kind: 'text?',
    identity_type: 'text',
    principal_id: 'text?',
    properties: 'text',
    created_by: 'text',
    created_by_type: 'text',
    created_at: 'bigint',
    modified_by: 'text',
    modified_by_type: 'text',
    modified_at: 'bigint',
    kubernetes_version: 'text?',
    agent_version: 'text?',
    total_node_count: 'integer?',
    total_core_count: 'integer?',
    reported_distribution: 'text?',
    reported_infrastructure: 'text?',
  })
    .addPrimaryKeyConstraint('clusters_pk', ['cluster_key'])
    .addUniqueConstraint('clusters_hash', ['hash'])
    .addUniqueConstraint('clusters_name', ['subscription_id', 'group_key', 'name_key'])
    .addForeignKeyConstraint(
      'clusters_group_fk',
      ['subscription_id', 'group_key'],
      'resource_groups',
      ['subscription_id', 'group_key'],
      (constraint) => constraint.onDelete('cascade'),
    )
    .execute()
}

async function agents(db: Kysely<unknown>): Promise<void> {
  await ofCluster(
    table(db, 'enrolments', {
      cluster_key: 'text',
      key_sha256: 'text',
      public_key: 'text',
      expires_at: 'bigint',
      redeemed_at: 'bigint?',
      agent_key_sha256: 'text?',
      link_key_sha256: 'text?',
    }).addPrimaryKeyConstraint('enrolments_pk', ['cluster_key']),
    'enrolments',
  ).execute()
  await ofCluster(
    table(db, 'agents', {
      agent_id: 'text',
      cluster_key: 'text',
      agent_key: 'text',
      link_key_sha256: 'text',
      kubernetes_uid: 'text',
      enrolled_at: 'bigint',
    })
      .addPrimaryKeyConstraint('agents_pk', ['agent_id'])
      .addUniqueConstraint('agents_cluster', ['cluster_key']),
    'agents',
  ).execute()
  await ofCluster(
    table(db, 'presence', {
      cluster_key: 'text',
      instance: 'text',
      node: 'text',
      epoch: 'bigint',
      last_seen: 'bigint',
      listening: 'integer',
      stopped: 'integer',
    }).addPrimaryKeyConstraint('presence_pk', ['cluster_key', 'instance']),
    'presence',
  ).execute()
}

async function activity(db: Kysely<unknown>): Promise<void> {
  await ofCluster(
    table(db, 'sessions', {
      session_id: 'text',
      principal_id: 'text',
      cluster_key: 'text',
      auth: 'text',
      created_at: 'bigint',
      last_issued_at: 'bigint',
    }).addPrimaryKeyConstraint('sessions_pk', ['session_id']),
    'sessions',
  ).execute()
  const sessionsBy = (name: string, columns: string[]): Promise<void> =>
    db.schema.createIndex(name).on('sessions').columns(columns).execute()
  await sessionsBy('sessions_owner', ['cluster_key', 'principal_id', 'last_issued_at'])
  await sessionsBy('sessions_age', ['last_issued_at'])
  await table(db, 'operations', {
    operation_id: 'text',
    subscription_id: 'text',
    resource_id: 'text',
    status: 'text',
    started_at: 'bigint',
    ended_at: 'bigint',
  })
    .addPrimaryKeyConstraint('operations_pk', ['operation_id'])
    .execute()
  await db.schema.createIndex('operations_age').on('operations').column('ended_at').execute()
}
