/**
 * Connected clusters: made, changed and deleted, each in one transaction.
 * @module
 */
import { randomUUID } from 'node:crypto'
import type { Kysely, Transaction } from 'kysely'
import {
  SallyportError,
  clusterHash,
  formatClusterId,
  type ClusterId,
  type ConnectedClusterPatch,
  type ConnectedClusterPut,
} from '@sallyport/protocol'
import type { Database } from '../store/database.ts'
import { clusterKey } from './clusters.ts'
import { applyFeatures } from './feature-changes.ts'
import { changedFeatures, disabledAtFirst } from './features.ts'
import { openEnrolment } from './enrolment.ts'
import type { OnboardingKey } from './public-key.ts'
import { requireResourceGroup } from './resource-groups.ts'
import { patchProperties, userProperties } from './cluster-properties.ts'
import type { ClusterTable } from './tables.ts'

/** Who changes a resource, for its systemData. */
export interface ChangeAuthor {
  name: string
  type: 'User' | 'Application'
}

/** A checked PUT. */
export interface ClusterPutInput {
  id: ClusterId
  body: ConnectedClusterPut
  /** Normalised name. */
  location: string
  identityType: 'SystemAssigned' | 'None'
  key: OnboardingKey
  author: ChangeAuthor
  now: number
}

/**
 * Makes or replaces a cluster. Another onboarding key opens a new chance to enrol; the agent that is enrolled stays until that is taken.
 * @returns whether the cluster is new.
 * @throws SallyportError ERR_ARM_GROUP_NOT_FOUND, ERR_ARM_CONFLICT (another location).
 */
export async function putCluster(
  trx: Transaction<Database>,
  input: ClusterPutInput,
): Promise<boolean> {
  const key = clusterKey(input.id)
  const group = await requireResourceGroup(trx, {
    subscriptionId: input.id.subscriptionId,
    name: input.id.resourceGroup,
  })
  const old = await find(trx, key)
  if (old === undefined) {
    const id = { ...input.id, subscriptionId: group.subscription_id, resourceGroup: group.name }
    await trx
      .insertInto('clusters')
      .values(await newCluster(formatClusterId(id), input))
      .execute()
  } else {
    if (old.location !== input.location) throw otherLocation(old)
    const disabled = changedFeatures(old.disabled_features, input.body.properties)
    await applyFeatures(trx, { cluster: old, disabled, now: input.now })
    await trx
      .updateTable('clusters')
      .set({
        ...written(input),
        principal_id: principalId(input, old.principal_id),
        disabled_features: disabled,
      })
      .where('cluster_key', '=', key)
      .execute()
  }
  await openEnrolment(trx, { clusterKey: key, key: input.key, now: input.now })
  return old === undefined
}

/** A checked PATCH. */
export interface ClusterPatchInput {
  id: ClusterId
  body: ConnectedClusterPatch
  author: ChangeAuthor
  now: number
}

/** Changes tags and the few properties a PATCH may change. @returns whether there is such a cluster. */
export async function patchCluster(
  trx: Transaction<Database>,
  input: ClusterPatchInput,
): Promise<boolean> {
  const key = clusterKey(input.id)
  const old = await find(trx, key)
  if (old === undefined) return false
  const disabled = changedFeatures(old.disabled_features, input.body.properties ?? {})
  await applyFeatures(trx, { cluster: old, disabled, now: input.now })
  await trx
    .updateTable('clusters')
    .set({
      tags: input.body.tags === undefined ? old.tags : JSON.stringify(input.body.tags),
      properties: patchProperties(old.properties, input.body.properties ?? {}),
      disabled_features: disabled,
      ...modified(input),
    })
    .where('cluster_key', '=', key)
    .execute()
  return true
}

/** Deletes a cluster with its agent, sessions and presence. @returns whether there was one. */
export async function deleteCluster(db: Kysely<Database>, id: ClusterId): Promise<boolean> {
  const result = await db
    .deleteFrom('clusters')
    .where('cluster_key', '=', clusterKey(id))
    .executeTakeFirst()
  return result.numDeletedRows > 0n
}

async function find(db: Kysely<Database>, key: string): Promise<ClusterTable | undefined> {
  return db.selectFrom('clusters').selectAll().where('cluster_key', '=', key).executeTakeFirst()
}

function modified(input: { author: ChangeAuthor; now: number }) {
  return {
    modified_by: input.author.name,
    modified_by_type: input.author.type,
    modified_at: input.now,
  }
}

/** What every PUT writes. */
function written(input: ClusterPutInput) {
  return {
    tags: JSON.stringify(input.body.tags ?? {}),
    kind: input.body.kind ?? null,
    identity_type: input.identityType,
    properties: userProperties(input.body.properties),
    ...modified(input),
  }
}

/** A resource keeps the identity it once got. */
function principalId(input: ClusterPutInput, old: string | null): string | null {
  if (input.identityType === 'None') return null
  return old ?? randomUUID()
}

async function newCluster(resourceId: string, input: ClusterPutInput): Promise<ClusterTable> {
  return {
    cluster_key: resourceId.toLowerCase(),
    hash: await clusterHash(resourceId),
    subscription_id: input.id.subscriptionId.toLowerCase(),
    group_key: input.id.resourceGroup.toLowerCase(),
    name_key: input.id.name.toLowerCase(),
    resource_id: resourceId,
    name: input.id.name,
    location: input.location,
    principal_id: principalId(input, null),
    created_by: input.author.name,
    created_by_type: input.author.type,
    created_at: input.now,
    ...written(input),
    kubernetes_version: null,
    agent_version: null,
    total_node_count: null,
    total_core_count: null,
    reported_distribution: null,
    reported_infrastructure: null,
    disabled_features: changedFeatures(JSON.stringify(disabledAtFirst), input.body.properties),
  }
}

function otherLocation(old: ClusterTable): SallyportError {
  return new SallyportError(
    'ERR_ARM_CONFLICT',
    `connected cluster '${old.name}' is in location '${old.location}'; a location cannot be changed`,
    { target: 'location' },
  )
}
