/**
 * Microsoft.Kubernetes/connectedClusters: read and listed.
 * @module
 */
import type { FastifyRequest } from 'fastify'
import {
  ConnectedClusterSchema,
  SallyportError,
  formatClusterId,
  pageSchema,
  type ClusterId,
} from '@sallyport/protocol'
import { toConnectedCluster } from '../registry/cluster-resource.ts'
import { findCluster, listClusters, type ClusterRecord } from '../registry/clusters.ts'
import { requireResourceGroup } from '../registry/resource-groups.ts'
import { requires } from './access.ts'
import type { Api } from './api-instance.ts'
import type { ApiContext } from './context.ts'
import { pageRequest, toPage, type PageRequest } from './paging.ts'
import {
  ClusterParams,
  ResourceGroupParams,
  SubscriptionParams,
  checkedCluster,
  checkedGroup,
} from './scope.ts'
import { requireSubscription } from './tenant-routes.ts'
import { visibleRows, visibleTo } from './visible.ts'

const provider = 'providers/Microsoft.Kubernetes/connectedClusters'
const ofSubscription = `/subscriptions/:subscriptionId/${provider}`
const ofGroup = `/subscriptions/:subscriptionId/resourceGroups/:resourceGroupName/${provider}`

/** Path of one cluster. */
export const clusterPath = `${ofGroup}/:clusterName`

const read = requires('Microsoft.Kubernetes/connectedClusters/read')
const list = requires('Microsoft.Kubernetes/connectedClusters/read', 'below')

/**
 * A cluster.
 * @throws SallyportError ERR_ARM_GROUP_NOT_FOUND, ERR_ARM_NOT_FOUND.
 */
export async function requireCluster(context: ApiContext, id: ClusterId): Promise<ClusterRecord> {
  const found = await findCluster(context.store.db, id)
  if (found !== undefined) return found
  await requireResourceGroup(context.store.db, {
    subscriptionId: id.subscriptionId,
    name: id.resourceGroup,
  })
  throw clusterNotFound(id)
}

/** The error for a cluster that is not there, in ARM's words. */
export function clusterNotFound(id: ClusterId): SallyportError {
  return new SallyportError(
    'ERR_ARM_NOT_FOUND',
    `The Resource 'Microsoft.Kubernetes/connectedClusters/${id.name}' under resource group '${id.resourceGroup}' was not found.`,
    { target: formatClusterId(id) },
  )
}

/** Adds the routes. */
export function registerClusterReads(api: Api, context: ApiContext): void {
  api.get(
    clusterPath,
    { config: read, schema: { params: ClusterParams, response: { 200: ConnectedClusterSchema } } },
    async (request) => {
      await requireSubscription(context, request.params)
      return show(context, await requireCluster(context, checkedCluster(request.params)))
    },
  )
  const page = pageSchema(ConnectedClusterSchema)
  api.get(
    ofGroup,
    { config: list, schema: { params: ResourceGroupParams, response: { 200: page } } },
    async (request) => {
      await requireSubscription(context, request.params)
      const group = await requireResourceGroup(context.store.db, checkedGroup(request.params))
      const asked = pageRequest(request, 2)
      const { subscription_id: subscriptionId } = group
      return toPage(request, {
        publicUrl: context.publicUrl,
        path: `/subscriptions/${subscriptionId}/resourceGroups/${group.name}/${provider}`,
        asked,
        rows: await rows(context, request, { asked, subscriptionId, resourceGroup: group.name }),
        keysOf,
        render: (row) => show(context, row),
      })
    },
  )
  api.get(
    ofSubscription,
    { config: list, schema: { params: SubscriptionParams, response: { 200: page } } },
    async (request) => {
      const { subscription_id: subscriptionId } = await requireSubscription(context, request.params)
      const asked = pageRequest(request, 2)
      return toPage(request, {
        publicUrl: context.publicUrl,
        path: `/subscriptions/${subscriptionId}/${provider}`,
        asked,
        rows: await rows(context, request, { asked, subscriptionId, resourceGroup: undefined }),
        keysOf,
        render: (row) => show(context, row),
      })
    },
  )
}

/** A cluster as the API shows it now. */
export function show(context: ApiContext, record: ClusterRecord) {
  return toConnectedCluster(record, { tenantId: context.tenantId, now: context.now() })
}

async function rows(
  context: ApiContext,
  request: FastifyRequest,
  within: { asked: PageRequest; subscriptionId: string; resourceGroup: string | undefined },
): Promise<ClusterRecord[]> {
  const { asked, subscriptionId, resourceGroup } = within
  const visible = await visibleTo(context, request, {
    action: 'Microsoft.Kubernetes/connectedClusters/read',
    within: resourceGroup === undefined ? { subscriptionId } : { subscriptionId, resourceGroup },
  })
  return visibleRows(asked, {
    fetch: ([group, name] = [], limit) =>
      listClusters(context.store.db, {
        subscriptionId,
        resourceGroup,
        after: group === undefined || name === undefined ? undefined : [group, name],
        limit,
      }),
    keysOf,
    isVisible: ({ cluster }) =>
      visible.at({ subscriptionId, resourceGroup: cluster.group_key, cluster: cluster.name }),
  })
}

function keysOf({ cluster }: ClusterRecord): string[] {
  return [cluster.group_key, cluster.name_key]
}
