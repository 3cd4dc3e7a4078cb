/**
 * Data actions of the built-in roles for connected clusters, as published (azure-docs: built-in roles, containers).
 * @module
 */

const prefix = 'Microsoft.Kubernetes/connectedClusters/'

/** What Viewer may read, and Writer and Admin change. */
const workloads = [
  'apps/daemonsets',
  'apps/deployments',
  'apps/replicasets',
  'apps/statefulsets',
  'autoscaling/horizontalpodautoscalers',
  'batch/cronjobs',
  'batch/jobs',
  'configmaps',
  'endpoints',
  'extensions/daemonsets',
  'extensions/deployments',
  'extensions/ingresses',
  'extensions/networkpolicies',
  'extensions/replicasets',
  'networking.k8s.io/ingresses',
  'networking.k8s.io/networkpolicies',
  'persistentvolumeclaims',
  'pods',
  'policy/poddisruptionbudgets',
  'replicationcontrollers',
  'serviceaccounts',
  'services',
] as const

/** What every role may only read. */
const onlyRead = [
  'apps/controllerrevisions',
  'events.k8s.io/events',
  'events',
  'limitranges',
  'namespaces',
  'resourcequotas',
] as const

const all = (names: readonly string[], verb: string): string[] =>
  names.map((name) => `${prefix}${name}/${verb}`)

/** Azure Arc Kubernetes Viewer: no Secrets, nothing of RBAC. */
export const viewerDataActions = [...all(onlyRead, 'read'), ...all(workloads, 'read')].sort()

/** Azure Arc Kubernetes Writer: Secrets too. */
export const writerDataActions = [
  ...all(onlyRead, 'read'),
  ...all([...workloads, 'secrets'], '*'),
].sort()

/** Azure Arc Kubernetes Admin: roles and role bindings of namespaces too. */
export const adminDataActions = [
  ...writerDataActions,
  `${prefix}authorization.k8s.io/localsubjectaccessreviews/write`,
  ...all(['rbac.authorization.k8s.io/rolebindings', 'rbac.authorization.k8s.io/roles'], '*'),
].sort()

/** Azure Arc Kubernetes Cluster Admin. */
export const clusterAdminDataActions = [`${prefix}*`]
