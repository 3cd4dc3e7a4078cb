/**
 * Features of a connected cluster: kept apart from what a PUT replaces, so that connecting again switches nothing back on.
 * @module
 */
import type { Kysely } from 'kysely'
import {
  SallyportError,
  clusterFeatures,
  featureSettings,
  isClusterFeature,
  type ClusterFeature,
} from '@sallyport/protocol'
import type { Database } from '../store/database.ts'

/** Off on a new cluster. */
export const disabledAtFirst: readonly ClusterFeature[] = ['custom-locations']

/** Features of a cluster that are off; none for a cluster that is not there. `key` is its lower-cased ARM id. */
export async function disabledFeatures(
  db: Kysely<Database>,
  key: string,
): Promise<ClusterFeature[]> {
  const row = await db
    .selectFrom('clusters')
    .select('disabled_features')
    .where('cluster_key', '=', key)
    .executeTakeFirst()
  return row === undefined ? [] : readFeatures(row.disabled_features)
}

/** A stored list. */
export function readFeatures(json: string): ClusterFeature[] {
  return (JSON.parse(json) as string[]).filter(isClusterFeature)
}

/** The members of a cluster's properties that tell which features are on. */
export function shownFeatures(json: string): ReturnType<typeof featureSettings> {
  const disabled = new Set(readFeatures(json))
  return featureSettings(
    new Map(clusterFeatures.map((feature) => [feature, !disabled.has(feature)] as const)),
  )
}

/**
 * The list after the changes that `properties` of a PUT or PATCH ask for; members they leave out change nothing.
 * @throws SallyportError ERR_ARM_INVALID_REQUEST, ERR_ARM_CONFLICT when one feature needs another.
 */
export function changedFeatures(json: string, properties: Record<string, unknown>): string {
  const disabled = new Set(readFeatures(json))
  for (const [feature, on] of askedFeatures(properties)) {
    if (on) disabled.delete(feature)
    else disabled.add(feature)
  }
  if (disabled.has('cluster-connect') && !disabled.has('custom-locations')) {
    throw new SallyportError(
      'ERR_ARM_CONFLICT',
      "Disabling 'cluster-connect' feature is not allowed when 'custom-locations' feature is enabled.",
      { target: 'arcAgentryConfigurations' },
    )
  }
  return JSON.stringify(clusterFeatures.filter((feature) => disabled.has(feature)))
}

function askedFeatures(properties: Record<string, unknown>): Map<ClusterFeature, boolean> {
  const asked = new Map<ClusterFeature, boolean>()
  const rbac = member(properties['aadProfile'], 'enableAzureRBAC')
  if (typeof rbac === 'boolean') asked.set('azure-rbac', rbac)
  else if (rbac !== undefined && rbac !== null) throw invalid('aadProfile.enableAzureRBAC')
  const list: unknown = properties['arcAgentryConfigurations'] ?? []
  if (!Array.isArray(list)) throw invalid('arcAgentryConfigurations')
  for (const item of list) {
    const feature = member(item, 'feature')
    if (typeof feature !== 'string' || !isClusterFeature(feature)) continue
    const enabled = String(member(member(item, 'settings'), 'enabled')).toLowerCase()
    if (enabled !== 'true' && enabled !== 'false') {
      throw invalid(`arcAgentryConfigurations.${feature}.settings.enabled`)
    }
    asked.set(feature, enabled === 'true')
  }
  return asked
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined
}

function invalid(target: string): SallyportError {
  return new SallyportError('ERR_ARM_INVALID_REQUEST', `'${target}' is not valid`, { target })
}
