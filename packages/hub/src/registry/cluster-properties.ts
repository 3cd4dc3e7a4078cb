/**
 * Which properties of a connected cluster belong to its users and which to the server (azure-rest-api-specs: readOnly).
 * @module
 */
import type { ConnectedClusterPatch, ConnectedClusterProperties } from '@sallyport/protocol'

/** Set by the server; in a PUT they are ignored, so that a client may send back what it read. */
const serverSet = new Set([
  'provisioningState',
  'connectivityStatus',
  'lastConnectivityTime',
  'kubernetesVersion',
  'totalNodeCount',
  'totalCoreCount',
  'agentVersion',
  'offering',
  'managedIdentityCertificateExpirationTime',
  'miscellaneousProperties',
])

/** Properties a PATCH may change. */
const patchable = new Set(['distribution', 'distributionVersion', 'azureHybridBenefit', 'gateway'])

/** JSON of what users set; members this version does not know are kept. */
export function userProperties(properties: ConnectedClusterProperties): string {
  const kept = Object.entries(properties).filter(([name]) => !serverSet.has(name))
  return JSON.stringify(Object.fromEntries(kept.map(withoutIssuer)))
}

/** JSON of `stored` with the patchable members of `patch` put over it. */
export function patchProperties(
  stored: string,
  patch: NonNullable<ConnectedClusterPatch['properties']>,
): string {
  const changes = Object.entries(patch).filter(([name]) => patchable.has(name))
  return JSON.stringify({ ...readObject(stored), ...Object.fromEntries(changes) })
}

/** A JSON object this store wrote. */
export function readObject(json: string): Record<string, unknown> {
  return JSON.parse(json) as Record<string, unknown>
}

/** `issuerUrl` is the one server-set member that lies deeper. */
function withoutIssuer([name, value]: [string, unknown]): [string, unknown] {
  if (name !== 'oidcIssuerProfile' || typeof value !== 'object' || value === null) {
    return [name, value]
  }
  return [name, Object.fromEntries(Object.entries(value).filter(([key]) => key !== 'issuerUrl'))]
}
