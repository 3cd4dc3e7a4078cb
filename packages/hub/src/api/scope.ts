/**
 * Names in paths: the ARM scope a request is about, and its checked parts.
 * @module
 */
import type { FastifyRequest } from 'fastify'
import Type from 'typebox'
import {
  SallyportError,
  connectedClusterType,
  isClusterName,
  isGuid,
  isResourceGroupName,
  type ClusterId,
} from '@sallyport/protocol'

/** Path parameters below a subscription. Their text is checked by the functions below, whose errors name the rule. */
export const SubscriptionParams = Type.Object({ subscriptionId: Type.String() })

/** Path parameters below a resource group. */
export const ResourceGroupParams = Type.Object({
  ...SubscriptionParams.properties,
  resourceGroupName: Type.String(),
})

/** Path parameters below a connected cluster. */
export const ClusterParams = Type.Object({
  ...ResourceGroupParams.properties,
  clusterName: Type.String(),
})

/** Path parameters of everything that has to do with a namespace of a cluster. */
export const NamespaceParams = Type.Object({
  ...ClusterParams.properties,
  namespace: Type.String(),
})

/** The ARM id the request is about, as it came; `/` above subscriptions. A slash inside a part stays encoded: it begins no level. */
export function scopeOf(request: FastifyRequest): string {
  const given = request.params as Partial<Record<string, string>>
  const part = (name: string): string | undefined => given[name]?.replaceAll('/', '%2F')
  const [subscriptionId, resourceGroupName] = [part('subscriptionId'), part('resourceGroupName')]
  const [clusterName, namespace] = [part('clusterName'), part('namespace')]
  let scope = ''
  if (subscriptionId !== undefined) scope += `/subscriptions/${subscriptionId}`
  if (resourceGroupName !== undefined) scope += `/resourceGroups/${resourceGroupName}`
  if (clusterName !== undefined) scope += `/providers/${connectedClusterType}/${clusterName}`
  if (namespace !== undefined) scope += `/namespaces/${namespace}`
  return scope === '' ? '/' : scope
}

/** @throws SallyportError ERR_ARM_INVALID_REQUEST when the text is not a GUID. */
export function checkedSubscription(params: { subscriptionId: string }): string {
  if (isGuid(params.subscriptionId)) return params.subscriptionId.toLowerCase()
  throw invalid('subscriptionId', 'a subscription id is a GUID')
}

/** @throws SallyportError ERR_ARM_INVALID_REQUEST when subscription or name break their rule. */
export function checkedGroup(params: { subscriptionId: string; resourceGroupName: string }): {
  subscriptionId: string
  name: string
} {
  const subscriptionId = checkedSubscription(params)
  if (isResourceGroupName(params.resourceGroupName)) {
    return { subscriptionId, name: params.resourceGroupName }
  }
  throw invalid(
    'resourceGroupName',
    'a resource group name has 1 to 90 letters, digits, or - _ . ( ) and does not end in a period',
  )
}

/** @throws SallyportError ERR_ARM_INVALID_REQUEST when a part breaks its rule (T-ENR-2). */
export function checkedCluster(params: {
  subscriptionId: string
  resourceGroupName: string
  clusterName: string
}): ClusterId {
  const { subscriptionId, name } = checkedGroup(params)
  if (isClusterName(params.clusterName)) {
    return { subscriptionId, resourceGroup: name, name: params.clusterName }
  }
  throw invalid(
    'clusterName',
    'a cluster name has 1 to 63 letters, digits, or - _ . and a letter or digit at both ends',
  )
}

/** Normal form of a location name: "East US" and "eastus" are the same. */
export function checkedLocation(location: string): string {
  const name = location.replaceAll(' ', '').toLowerCase()
  if (/^[a-z0-9][a-z0-9-]{0,62}$/.test(name)) return name
  throw invalid('location', 'a location name has 1 to 63 letters, digits or hyphens')
}

function invalid(target: string, rule: string): SallyportError {
  return new SallyportError('ERR_ARM_INVALID_REQUEST', `'${target}' is not valid: ${rule}`, {
    target,
  })
}
