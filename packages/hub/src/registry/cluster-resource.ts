/**
 * A stored cluster as the API shows it.
 * @module
 */
import {
  connectedClusterType,
  type ConnectedCluster,
  type ConnectedClusterProperties,
  type Tags,
} from '@sallyport/protocol'
import { connectivityStatus } from './connectivity.ts'
import { readObject } from './cluster-properties.ts'
import type { ClusterRecord } from './clusters.ts'
import { shownFeatures } from './features.ts'
import type { ClusterTable } from './tables.ts'

/** Renders a cluster at the moment `now`. */
export function toConnectedCluster(
  record: ClusterRecord,
  at: { tenantId: string; now: number },
): ConnectedCluster {
  const { cluster } = record
  return {
    id: cluster.resource_id,
    name: cluster.name,
    type: connectedClusterType,
    location: cluster.location,
    tags: readObject(cluster.tags) as Tags,
    ...(cluster.kind === null ? {} : { kind: cluster.kind }),
    identity: {
      type: cluster.identity_type,
      ...(cluster.principal_id === null
        ? {}
        : { principalId: cluster.principal_id, tenantId: at.tenantId }),
    },
    systemData: {
      createdBy: cluster.created_by,
      createdByType: cluster.created_by_type,
      createdAt: time(cluster.created_at),
      lastModifiedBy: cluster.modified_by,
      lastModifiedByType: cluster.modified_by_type,
      lastModifiedAt: time(cluster.modified_at),
    },
    properties: { ...properties(record, at.now) },
  }
}

function properties(record: ClusterRecord, now: number): ConnectedClusterProperties {
  const { cluster, presence } = record
  const stored = readObject(cluster.properties) as ConnectedClusterProperties
  const seen = presence.map((row) => row.last_seen)
  return {
    ...reported(cluster),
    ...stored,
    ...features(cluster.disabled_features, stored),
    provisioningState: 'Succeeded',
    connectivityStatus: connectivityStatus(
      { ...record, enrolled: record.agent !== undefined },
      now,
    ),
    ...(seen.length === 0 ? {} : { lastConnectivityTime: time(Math.max(...seen)) }),
    miscellaneousProperties: {},
  }
}

/** Which features are on; other members users set beside them stay. */
function features(json: string, stored: Record<string, unknown>) {
  const { aadProfile, arcAgentryConfigurations } = shownFeatures(json)
  const given = stored['aadProfile']
  return {
    aadProfile: { ...(typeof given === 'object' ? given : {}), ...aadProfile },
    arcAgentryConfigurations,
  }
}

/** What the agent told; a distribution or infrastructure the user named wins. */
function reported(cluster: ClusterTable): Partial<ConnectedClusterProperties> {
  const facts = {
    kubernetesVersion: cluster.kubernetes_version,
    agentVersion: cluster.agent_version,
    totalNodeCount: cluster.total_node_count,
    totalCoreCount: cluster.total_core_count,
    distribution: cluster.reported_distribution,
    infrastructure: cluster.reported_infrastructure,
  }
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== null))
}

function time(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}
