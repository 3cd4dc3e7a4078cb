/**
 * Routes of Microsoft.Authorization stand under every scope there is, one typed route each: a router has no wildcard in the
 * middle, and the gate sees the same parameters as everywhere else.
 * @module
 */
import type { FastifyRequest } from 'fastify'
import Type from 'typebox'
import { SallyportError, isGuid } from '@sallyport/protocol'
import type { Principal } from '../identity/principal.ts'
import { checkedScope, formatScope, type Scope } from '../authorization/scopes.ts'
import { requireResourceGroup } from '../registry/resource-groups.ts'
import { clusterPath, requireCluster } from './connected-cluster-routes.ts'
import type { ApiContext } from './context.ts'
import {
  ClusterParams,
  NamespaceParams,
  ResourceGroupParams,
  SubscriptionParams,
  checkedCluster,
  scopeOf,
} from './scope.ts'
import { requireSubscription } from './tenant-routes.ts'

const provider = '/providers/Microsoft.Authorization'

const prefixes = [
  ['', Type.Object({})],
  ['/subscriptions/:subscriptionId', SubscriptionParams],
  ['/subscriptions/:subscriptionId/resourceGroups/:resourceGroupName', ResourceGroupParams],
  [clusterPath, ClusterParams],
  [`${clusterPath}/namespaces/:namespace`, NamespaceParams],
] as const

/** Calls `add` with the path below each kind of scope, `path` beginning after the provider. */
export function atEveryScope(
  path: string,
  add: (path: string, params: Type.TObject) => void,
): void {
  for (const [prefix, params] of prefixes) add(`${prefix}${provider}${path}`, params)
}

/** Schema of parameters with the name of an object below the scope. */
export function withName(params: Type.TObject): Type.TObject {
  return Type.Object({ ...params.properties, name: Type.String() })
}

/** The scope of a request's path. @throws SallyportError ERR_ARM_INVALID_REQUEST. */
export function requestScope(request: FastifyRequest): Scope {
  return checkedScope(scopeOf(request))
}

/** Lower-case GUID that a path names. @throws SallyportError ERR_ARM_INVALID_REQUEST. */
export function requestName(request: FastifyRequest): string {
  const { name } = request.params as { name: string }
  return checkedGuid(name, 'name')
}

/** Lower-case GUID. @throws SallyportError ERR_ARM_INVALID_REQUEST. */
export function checkedGuid(text: string, target: string): string {
  if (isGuid(text)) return text.toLowerCase()
  throw new SallyportError('ERR_ARM_INVALID_REQUEST', `'${target}' must be a GUID`, { target })
}

/** The GUID at the end of a role definition's id, or alone. @throws SallyportError ERR_ARM_INVALID_REQUEST. */
export function roleIdOf(text: string): string {
  return checkedGuid(text.split('/').at(-1) ?? '', 'roleDefinitionId')
}

/**
 * The id of a scope in the case of its creation; namespaces are not looked up, they are the cluster's.
 * @throws SallyportError ERR_ARM_SUBSCRIPTION_NOT_FOUND, ERR_ARM_GROUP_NOT_FOUND, ERR_ARM_NOT_FOUND.
 */
export async function existingScope(context: ApiContext, scope: Scope): Promise<string> {
  const { subscriptionId, resourceGroup, cluster, namespace } = scope
  if (subscriptionId === undefined) return '/'
  await requireSubscription(context, { subscriptionId })
  if (resourceGroup === undefined) return formatScope({ subscriptionId })
  const group = await requireResourceGroup(context.store.db, {
    subscriptionId,
    name: resourceGroup,
  })
  if (cluster === undefined) return formatScope({ subscriptionId, resourceGroup: group.name })
  const id = checkedCluster({
    subscriptionId,
    resourceGroupName: resourceGroup,
    clusterName: cluster,
  })
  const record = await requireCluster(context, id)
  return namespace === undefined
    ? record.cluster.resource_id
    : `${record.cluster.resource_id}/namespaces/${namespace}`
}

/** Name of a principal in `createdBy`: its object id. */
export function authorId(principal: Principal): string {
  return principal.objectId
}

/** Id of a role definition as it is shown inside a scope: with the subscription, if there is one. */
export function shownRoleId(roleId: string, scope: Scope): string {
  const { subscriptionId } = scope
  const root = subscriptionId === undefined ? '' : `/subscriptions/${subscriptionId}`
  return `${root}${provider}/roleDefinitions/${roleId}`
}
