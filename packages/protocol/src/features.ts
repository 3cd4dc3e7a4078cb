/**
 * Features of a connected cluster that can be switched on and off, and where they stand in its resource.
 * @module
 */

/** Every feature, in the words of az. */
export const clusterFeatures = ['cluster-connect', 'custom-locations', 'azure-rbac'] as const
export type ClusterFeature = (typeof clusterFeatures)[number]

/** Whether a text names a feature. */
export function isClusterFeature(text: string): text is ClusterFeature {
  return (clusterFeatures as readonly string[]).includes(text)
}

/** Properties of a connected cluster that switch features (azure-rest-api-specs: `aadProfile`, `arcAgentryConfigurations`). */
export function featureSettings(changes: ReadonlyMap<ClusterFeature, boolean>): {
  aadProfile?: { enableAzureRBAC: boolean }
  arcAgentryConfigurations?: { feature: string; settings: { enabled: string } }[]
} {
  const rbac = changes.get('azure-rbac')
  const others = [...changes].filter(([feature]) => feature !== 'azure-rbac')
  return {
    ...(rbac === undefined ? {} : { aadProfile: { enableAzureRBAC: rbac } }),
    ...(others.length === 0
      ? {}
      : {
          arcAgentryConfigurations: others.map(([feature, on]) => ({
            feature,
            settings: { enabled: String(on) },
          })),
        }),
  }
}
