/**
 * Connected clusters and resource groups at the hub.
 * @module
 */
import {
  ConnectedClusterSchema,
  ResourceGroupSchema,
  SallyportError,
  formatClusterId,
  isClusterName,
  isResourceGroupName,
  isSallyportError,
  type ClusterId,
  type ConnectedCluster,
  type ConnectedClusterPatch,
  type ConnectedClusterPut,
  type ResourceGroup,
  type ResourceGroupPut,
} from '@sallyport/protocol'
import type { HubClient } from './hub-client.ts'

/** Client and the subscription its calls are about. */
export interface Scope {
  client: HubClient
  subscriptionId: string
  signal: AbortSignal
}

const groupPath = (scope: Scope, name: string) =>
  `/subscriptions/${scope.subscriptionId}/resourcegroups/${encodeURIComponent(checkedGroup(name))}`

/** @throws SallyportError ERR_USAGE when the text cannot name a resource group. */
export function checkedGroup(name: string): string {
  if (isResourceGroupName(name)) return name
  throw new SallyportError('ERR_USAGE', `'${name}' cannot be the name of a resource group`, {
    remedy: 'use 1 to 90 letters, digits and -_.(), not ending in a period',
  })
}

/** @throws SallyportError ERR_USAGE when the text cannot name a cluster. */
export function checkedCluster(name: string): string {
  if (isClusterName(name)) return name
  throw new SallyportError('ERR_USAGE', `'${name}' cannot be the name of a cluster`, {
    remedy: 'use 1 to 63 letters, digits and -_., a letter or digit at both ends',
  })
}

/** Resource groups of the subscription. */
export function listGroups(scope: Scope): Promise<ResourceGroup[]> {
  const path = `/subscriptions/${scope.subscriptionId}/resourcegroups`
  return scope.client.list(
    { method: 'GET', path, signal: scope.signal },
    ResourceGroupSchema,
    'list of groups',
  )
}

/** One resource group. @throws SallyportError ERR_ARM_GROUP_NOT_FOUND. */
export function getGroup(scope: Scope, name: string): Promise<ResourceGroup> {
  const path = groupPath(scope, name)
  return scope.client.json(
    { method: 'GET', path, signal: scope.signal },
    ResourceGroupSchema,
    'resource group',
  )
}

/** Makes or updates a resource group. */
export function putGroup(
  scope: Scope,
  name: string,
  body: ResourceGroupPut,
): Promise<ResourceGroup> {
  const path = groupPath(scope, name)
  return scope.client.json(
    { method: 'PUT', path, body, signal: scope.signal },
    ResourceGroupSchema,
    'resource group',
  )
}

/** Deletes a resource group with everything in it, and waits for the end. */
export async function deleteGroup(scope: Scope, name: string): Promise<void> {
  await scope.client.complete({
    method: 'DELETE',
    path: groupPath(scope, name),
    signal: scope.signal,
  })
}

const provider = 'providers/Microsoft.Kubernetes/connectedClusters'

/** Clusters of the subscription or of one resource group. */
export function listClusters(scope: Scope, resourceGroup?: string): Promise<ConnectedCluster[]> {
  const root =
    resourceGroup === undefined
      ? `/subscriptions/${scope.subscriptionId}`
      : groupPath(scope, resourceGroup)
  const path = `${root}/${provider}`
  return scope.client.list(
    { method: 'GET', path, signal: scope.signal },
    ConnectedClusterSchema,
    'list of clusters',
  )
}

/** One cluster. @throws SallyportError ERR_ARM_NOT_FOUND, ERR_ARM_GROUP_NOT_FOUND. */
export function getCluster(scope: Scope, id: ClusterId): Promise<ConnectedCluster> {
  const path = formatClusterId(id)
  return scope.client.json(
    { method: 'GET', path, signal: scope.signal },
    ConnectedClusterSchema,
    'connected cluster',
  )
}

/** As `getCluster`; undefined when there is none. */
export async function findCluster(
  scope: Scope,
  id: ClusterId,
): Promise<ConnectedCluster | undefined> {
  try {
    return await getCluster(scope, id)
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

/** Whether an error says that resource or group are not there. */
export function isNotFound(error: unknown): boolean {
  return (
    isSallyportError(error) &&
    (error.code === 'ERR_ARM_NOT_FOUND' || error.code === 'ERR_ARM_GROUP_NOT_FOUND')
  )
}

/** Makes or replaces a cluster and waits until it is provisioned. */
export async function putCluster(
  scope: Scope,
  id: ClusterId,
  body: ConnectedClusterPut,
): Promise<void> {
  await scope.client.complete({
    method: 'PUT',
    path: formatClusterId(id),
    body,
    signal: scope.signal,
  })
}

/** Changes tags and the few properties that may change. */
export function patchCluster(
  scope: Scope,
  id: ClusterId,
  body: ConnectedClusterPatch,
): Promise<ConnectedCluster> {
  const path = formatClusterId(id)
  return scope.client.json(
    { method: 'PATCH', path, body, signal: scope.signal },
    ConnectedClusterSchema,
    'connected cluster',
  )
}

/** Deletes a cluster and waits for the end; one that is not there is fine. */
export async function deleteCluster(scope: Scope, id: ClusterId): Promise<void> {
  try {
    await scope.client.complete({
      method: 'DELETE',
      path: formatClusterId(id),
      signal: scope.signal,
    })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}

/** The id of the one cluster with this name. @throws SallyportError ERR_ARM_NOT_FOUND; ERR_USAGE when several groups have one. */
export async function resolveCluster(
  scope: Scope,
  wanted: { name: string; resourceGroup: string | undefined },
): Promise<ClusterId> {
  const name = checkedCluster(wanted.name)
  const { subscriptionId } = scope
  if (wanted.resourceGroup !== undefined) {
    return { subscriptionId, resourceGroup: checkedGroup(wanted.resourceGroup), name }
  }
  const all = await listClusters(scope)
  const found = all.filter((cluster) => cluster.name.toLowerCase() === name.toLowerCase())
  const groups = found.map(({ id }) => /\/resourcegroups\/([^/]+)\//i.exec(id)?.[1] ?? '')
  const [first] = groups
  if (first === undefined) {
    throw new SallyportError('ERR_ARM_NOT_FOUND', `there is no cluster '${name}'`, {
      remedy: 'list what there is: sallyport list',
    })
  }
  if (groups.length > 1) {
    throw new SallyportError('ERR_USAGE', `there are ${groups.length} clusters named '${name}'`, {
      why: `in the resource groups ${groups.join(', ')}`,
      remedy: `name one: -n ${name} -g ${first}`,
    })
  }
  return { subscriptionId, resourceGroup: first, name: found[0]?.name ?? name }
}
