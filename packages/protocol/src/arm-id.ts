/**
 * Azure Resource Manager ids: parsing, case rules, and the relay path derived from one.
 * @module
 */
import { SallyportError } from './error.ts'

/** Provider namespace and type of a connected cluster, in the case the API documents. */
export const connectedClusterType = 'Microsoft.Kubernetes/connectedClusters'

/** The parts of a connected cluster's id; names keep the case they came in. */
export interface ClusterId {
  subscriptionId: string
  resourceGroup: string
  name: string
}

const guid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const groupName = /^[-\w.()]{0,89}[-\w()]$/
const clusterName = /^[a-z0-9A-Z]([-a-zA-Z0-9_.]{0,61}[a-zA-Z0-9])?$/

/** Whether a text is a GUID in the usual 8-4-4-4-12 form. */
export function isGuid(text: string): boolean {
  return guid.test(text)
}

/** Whether a text may name a resource group (ARM: 1–90 of letters, digits, `-_.()`, not ending in a period). */
export function isResourceGroupName(text: string): boolean {
  return groupName.test(text)
}

/** Whether a text may name a connected cluster: 1–63 of letters, digits, `-_.`, letter or digit at both ends (inert in shells, YAML and paths: T-ENR-2). */
export function isClusterName(text: string): boolean {
  return clusterName.test(text)
}

/** The id of a connected cluster, leading slash, documented case. */
export function formatClusterId(id: ClusterId): string {
  return `/subscriptions/${id.subscriptionId}/resourceGroups/${id.resourceGroup}/providers/${connectedClusterType}/${id.name}`
}

/**
 * Parses a connected cluster's id, keywords in any case (ARM ids are case-insensitive).
 * @throws SallyportError ERR_ARM_INVALID_REQUEST when the text is not such an id.
 */
export function parseClusterId(text: string): ClusterId {
  const match =
    /^\/subscriptions\/([^/]+)\/resourcegroups\/([^/]+)\/providers\/microsoft\.kubernetes\/connectedclusters\/([^/]+)$/i.exec(
      text,
    )
  const [, subscriptionId, resourceGroup, name] = match ?? []
  if (
    subscriptionId === undefined ||
    resourceGroup === undefined ||
    name === undefined ||
    !isGuid(subscriptionId) ||
    !isResourceGroupName(resourceGroup) ||
    !isClusterName(name)
  ) {
    throw new SallyportError(
      'ERR_ARM_INVALID_REQUEST',
      'this is not the id of a connected cluster',
      {
        target: 'id',
      },
    )
  }
  return { subscriptionId, resourceGroup, name }
}

/** SHA-256, in lower-case hex, of the lower-cased ARM id with its leading slash: the last part of the relay path. */
export async function clusterHash(armId: string): Promise<string> {
  const digest = await crypto.subtle.digest(
    'SHA-256',
    new TextEncoder().encode(armId.toLowerCase()),
  )
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Relay path (hybrid connection name) of a cluster: `microsoft.kubernetes/connectedclusters/<hash>`. */
export async function relayPath(armId: string): Promise<string> {
  return `microsoft.kubernetes/connectedclusters/${await clusterHash(armId)}`
}
