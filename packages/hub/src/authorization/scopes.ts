/**
 * Scopes of roles: the tenant, a subscription, a resource group, a cluster, a namespace of a cluster. What holds at a scope
 * holds below it.
 * @module
 */
import {
  SallyportError,
  connectedClusterType,
  isClusterName,
  isGuid,
  isResourceGroupName,
} from '@sallyport/protocol'

/** A scope taken apart; every part stands only with those before it. */
export interface Scope {
  subscriptionId?: string
  resourceGroup?: string
  cluster?: string
  namespace?: string
}

const pattern =
  /^\/subscriptions\/([^/]+)(?:\/resourcegroups\/([^/]+)(?:\/providers\/microsoft\.kubernetes\/connectedclusters\/([^/]+)(?:\/namespaces\/([^/]+))?)?)?\/?$/i
const namespaceName = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/

/** The parts of a scope, undefined when the text is none. Slashes may be doubled or missing in front, as ARM clients send them. */
export function parseScope(text: string): Scope | undefined {
  const path = `/${text}`.replaceAll(/\/{2,}/g, '/')
  if (path === '/') return {}
  const [, subscriptionId, resourceGroup, cluster, namespace] = pattern.exec(path) ?? []
  if (subscriptionId === undefined || !isGuid(subscriptionId)) return undefined
  if (resourceGroup !== undefined && !isResourceGroupName(resourceGroup)) return undefined
  if (cluster !== undefined && !isClusterName(cluster)) return undefined
  if (namespace !== undefined && !namespaceName.test(namespace.toLowerCase())) return undefined
  return {
    subscriptionId: subscriptionId.toLowerCase(),
    ...(resourceGroup === undefined ? {} : { resourceGroup }),
    ...(cluster === undefined ? {} : { cluster }),
    ...(namespace === undefined ? {} : { namespace: namespace.toLowerCase() }),
  }
}

/** As `parseScope`. @throws SallyportError ERR_ARM_INVALID_REQUEST. */
export function checkedScope(text: string, target = 'scope'): Scope {
  const scope = parseScope(text)
  if (scope !== undefined) return scope
  throw new SallyportError(
    'ERR_ARM_INVALID_REQUEST',
    `'${target}' is not a scope: a scope is '/', a subscription, a resource group, a connected cluster, or '<cluster id>/namespaces/<name>'`,
    { target },
  )
}

/** The id of a scope; `/` for the tenant. */
export function formatScope(scope: Scope): string {
  const { subscriptionId, resourceGroup, cluster, namespace } = scope
  let text = ''
  if (subscriptionId !== undefined) text += `/subscriptions/${subscriptionId}`
  if (resourceGroup !== undefined) text += `/resourceGroups/${resourceGroup}`
  if (cluster !== undefined) text += `/providers/${connectedClusterType}/${cluster}`
  if (namespace !== undefined) text += `/namespaces/${namespace}`
  return text === '' ? '/' : text
}

/** Key of a scope: its id in lower case. */
export function scopeKey(scope: Scope): string {
  return formatScope(scope).toLowerCase()
}

/** Keys of a scope and of all above it, the tenant first. */
export function scopeChain(scope: Scope): string[] {
  const { subscriptionId, resourceGroup, cluster } = scope
  const levels: Scope[] = [{}]
  if (subscriptionId !== undefined) levels.push({ subscriptionId })
  if (subscriptionId !== undefined && resourceGroup !== undefined) {
    levels.push({ subscriptionId, resourceGroup })
    if (cluster !== undefined) levels.push({ subscriptionId, resourceGroup, cluster })
  }
  if (scope.namespace !== undefined) levels.push(scope)
  return levels.map(scopeKey)
}

/** Whether `key` is `above` or lies below it. */
export function isWithin(key: string, above: string): boolean {
  return above === '/' || key === above || key.startsWith(`${above}/`)
}

/** First and one past the last key that lies below `key`: a range that an index answers, names with wildcards included. */
export function rangeBelow(key: string): { from: string; to: string } {
  return key === '/' ? { from: '/', to: '0' } : { from: `${key}/`, to: `${key}0` }
}
