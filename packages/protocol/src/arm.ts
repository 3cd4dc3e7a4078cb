/**
 * Resource shapes of the ARM-shaped API: Microsoft.Resources and Microsoft.Kubernetes/connectedClusters.
 * Source: azure-rest-api-specs, HybridKubernetes.Management and resources/subscriptions.
 * @module
 */
import Type, { type Static } from 'typebox'
import { limits } from './limits.ts'

const open = { additionalProperties: true } as const

/** Tags of a resource: at most 50, names ≤ 512 and values ≤ 256 characters. */
export const TagsSchema = Type.Record(
  Type.String({ minLength: 1, maxLength: limits.armTagNameLength }),
  Type.String({ maxLength: limits.armTagValueLength }),
  { maxProperties: limits.armTags },
)
export type Tags = Static<typeof TagsSchema>

/** Who made and last changed a resource, RFC 3339 UTC. */
export const SystemDataSchema = Type.Object(
  {
    createdBy: Type.String(),
    createdByType: Type.String(),
    createdAt: Type.String(),
    lastModifiedBy: Type.String(),
    lastModifiedByType: Type.String(),
    lastModifiedAt: Type.String(),
  },
  open,
)
export type SystemData = Static<typeof SystemDataSchema>

/** States a cluster is in, seen from the hub; `Connected` means a heartbeat within the presence lease by an agent that listens on a relay. */
export const connectivityStates = [
  'Connecting',
  'Connected',
  'Offline',
  'Expired',
  'AgentNotInstalled',
] as const
export type ConnectivityStatus = (typeof connectivityStates)[number]

/** Properties of a connected cluster; those the server sets are optional because a PUT leaves them out and they are ignored there. */
export const ConnectedClusterPropertiesSchema = Type.Object(
  {
    agentPublicKeyCertificate: Type.String({ minLength: 1, maxLength: 16_384 }),
    provisioningState: Type.Optional(Type.String()),
    connectivityStatus: Type.Optional(Type.String()),
    lastConnectivityTime: Type.Optional(Type.String()),
    kubernetesVersion: Type.Optional(Type.String()),
    totalNodeCount: Type.Optional(Type.Integer()),
    totalCoreCount: Type.Optional(Type.Integer()),
    agentVersion: Type.Optional(Type.String()),
    distribution: Type.Optional(Type.String({ maxLength: 128 })),
    distributionVersion: Type.Optional(Type.String({ maxLength: 128 })),
    infrastructure: Type.Optional(Type.String({ maxLength: 128 })),
    offering: Type.Optional(Type.String()),
    managedIdentityCertificateExpirationTime: Type.Optional(Type.String()),
    azureHybridBenefit: Type.Optional(Type.String()),
    miscellaneousProperties: Type.Optional(Type.Record(Type.String(), Type.String())),
  },
  open,
)
export type ConnectedClusterProperties = Static<typeof ConnectedClusterPropertiesSchema>

/** A connected cluster as the API returns it. */
export const ConnectedClusterSchema = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    type: Type.String(),
    location: Type.String(),
    tags: Type.Optional(TagsSchema),
    kind: Type.Optional(Type.String()),
    identity: Type.Optional(
      Type.Object(
        {
          type: Type.String(),
          principalId: Type.Optional(Type.String()),
          tenantId: Type.Optional(Type.String()),
        },
        open,
      ),
    ),
    systemData: Type.Optional(SystemDataSchema),
    properties: ConnectedClusterPropertiesSchema,
  },
  open,
)
export type ConnectedCluster = Static<typeof ConnectedClusterSchema>

/** Body of PUT connectedClusters/{name}. */
export const ConnectedClusterPutSchema = Type.Object(
  {
    location: Type.String({ minLength: 1, maxLength: 128 }),
    tags: Type.Optional(TagsSchema),
    kind: Type.Optional(Type.String({ maxLength: 64 })),
    identity: Type.Object({ type: Type.String({ maxLength: 64 }) }, open),
    properties: ConnectedClusterPropertiesSchema,
  },
  open,
)
export type ConnectedClusterPut = Static<typeof ConnectedClusterPutSchema>

/** Body of PATCH connectedClusters/{name}. */
export const ConnectedClusterPatchSchema = Type.Object(
  {
    tags: Type.Optional(TagsSchema),
    properties: Type.Optional(
      Type.Object(
        {
          distribution: Type.Optional(Type.String({ maxLength: 128 })),
          distributionVersion: Type.Optional(Type.String({ maxLength: 128 })),
          azureHybridBenefit: Type.Optional(Type.String({ maxLength: 64 })),
          aadProfile: Type.Optional(Type.Unknown()),
          arcAgentryConfigurations: Type.Optional(Type.Unknown()),
        },
        open,
      ),
    ),
  },
  open,
)
export type ConnectedClusterPatch = Static<typeof ConnectedClusterPatchSchema>

/** A resource group. */
export const ResourceGroupSchema = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    type: Type.String(),
    location: Type.String(),
    tags: Type.Optional(TagsSchema),
    properties: Type.Object({ provisioningState: Type.String() }, open),
  },
  open,
)
export type ResourceGroup = Static<typeof ResourceGroupSchema>

/** Body of PUT resourcegroups/{name}. */
export const ResourceGroupPutSchema = Type.Object(
  {
    location: Type.String({ minLength: 1, maxLength: 128 }),
    tags: Type.Optional(TagsSchema),
  },
  open,
)
export type ResourceGroupPut = Static<typeof ResourceGroupPutSchema>

/** A subscription. */
export const SubscriptionSchema = Type.Object(
  {
    id: Type.String(),
    subscriptionId: Type.String(),
    tenantId: Type.Optional(Type.String()),
    displayName: Type.String(),
    state: Type.String(),
  },
  open,
)
export type Subscription = Static<typeof SubscriptionSchema>

/** A tenant. */
export const TenantSchema = Type.Object(
  { id: Type.String(), tenantId: Type.String(), displayName: Type.Optional(Type.String()) },
  open,
)
export type Tenant = Static<typeof TenantSchema>

/** One page of a list: `nextLink` is absolute and opaque. */
export interface Page<T> {
  value: T[]
  nextLink?: string
}

/** Schema of one page of `item`. */
export const pageSchema = <T extends Type.TSchema>(item: T) =>
  Type.Object({ value: Type.Array(item), nextLink: Type.Optional(Type.String()) }, open)

/** ARM error envelope as a client receives it. */
export const ArmErrorSchema = Type.Object(
  {
    error: Type.Object(
      {
        code: Type.String(),
        message: Type.String(),
        target: Type.Optional(Type.String()),
        additionalInfo: Type.Optional(
          Type.Array(
            Type.Object({ type: Type.String(), info: Type.Record(Type.String(), Type.Unknown()) }),
          ),
        ),
      },
      open,
    ),
  },
  open,
)
