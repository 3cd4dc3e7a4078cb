/**
 * Every built-in resource of Kubernetes 1.34 and what a data action on it gives: the one table of gate 2.
 * A test compares it with the discovery of a live API server, both ways.
 * @module
 */

/** Last part of a data action. */
export type DataVerb = 'read' | 'write' | 'delete'

/** A subresource, and the verbs of Kubernetes each data verb (or a named action) of its resource gives on it. */
export interface Subresource {
  readonly name: string
  readonly grants: Readonly<Partial<Record<DataVerb | 'exec/action' | 'proxy/action', VerbList>>>
}

type VerbList = readonly string[]

/** One resource. */
export interface ResourceEntry {
  readonly verbs: readonly DataVerb[]
  readonly subresources: readonly Subresource[]
  /** Verbs that RBAC itself gives a meaning, as `<resource>/<verb>/action`. Wildcards do not reach them. */
  readonly powers: readonly string[]
}

const edited = (name: string): Subresource => ({
  name,
  grants: { read: ['get'], write: ['update', 'patch'] },
})
const created = (name: string): Subresource => ({ name, grants: { write: ['create'] } })

// A connection: kubectl opens it by POST (create) or, over WebSocket, by GET (get; since 1.35 create as well). Both or neither,
// and never by `read`, which would let a reader in by WebSocket.
const connection: VerbList = ['create', 'get']
const everyMethod: VerbList = ['create', 'delete', 'get', 'patch', 'update']

const status = edited('status')
const scale = edited('scale')
const proxy: Subresource = { name: 'proxy', grants: { write: everyMethod } }
// The kubelet's whole API, running a command in any pod included: its own action, and a power.
const nodeProxy: Subresource = { name: 'proxy', grants: { 'proxy/action': everyMethod } }

const podSubresources: readonly Subresource[] = [
  { name: 'attach', grants: { write: connection } },
  created('binding'),
  edited('ephemeralcontainers'),
  created('eviction'),
  { name: 'exec', grants: { 'exec/action': connection } },
  { name: 'log', grants: { read: ['get'] } },
  { name: 'portforward', grants: { write: connection } },
  proxy,
  edited('resize'),
  status,
]

function resource(
  subresources: readonly Subresource[] = [],
  powers: readonly string[] = [],
): ResourceEntry {
  return { verbs: ['read', 'write', 'delete'], subresources, powers }
}
const plain = resource()
const withStatus = resource([status])
const scaled = resource([scale, status])
/** A question put by POST. */
const question: ResourceEntry = { verbs: ['write'], subresources: [], powers: [] }
/** Not a resource: a name that only `impersonate` is asked about. */
const subject: ResourceEntry = { verbs: [], subresources: [], powers: ['impersonate'] }

/** API group (`''` is the core group) to resource to entry. */
export const resourceTable: Readonly<Record<string, Readonly<Record<string, ResourceEntry>>>> = {
  '': {
    bindings: question,
    componentstatuses: { verbs: ['read'], subresources: [], powers: [] },
    configmaps: plain,
    endpoints: plain,
    events: plain,
    groups: subject,
    limitranges: plain,
    namespaces: resource([{ name: 'finalize', grants: { write: ['update'] } }, status]),
    nodes: resource([nodeProxy, status]),
    persistentvolumeclaims: withStatus,
    persistentvolumes: withStatus,
    pods: resource(podSubresources),
    podtemplates: plain,
    replicationcontrollers: scaled,
    resourcequotas: withStatus,
    secrets: plain,
    serviceaccounts: resource([created('token')], ['impersonate']),
    services: resource([proxy, status]),
    users: subject,
  },
  'admissionregistration.k8s.io': {
    mutatingwebhookconfigurations: plain,
    validatingadmissionpolicies: withStatus,
    validatingadmissionpolicybindings: plain,
    validatingwebhookconfigurations: plain,
  },
  'apiextensions.k8s.io': { customresourcedefinitions: withStatus },
  'apiregistration.k8s.io': { apiservices: withStatus },
  apps: {
    controllerrevisions: plain,
    daemonsets: withStatus,
    deployments: scaled,
    replicasets: scaled,
    statefulsets: scaled,
  },
  'authentication.k8s.io': { selfsubjectreviews: question, tokenreviews: question },
  'authorization.k8s.io': {
    localsubjectaccessreviews: question,
    selfsubjectaccessreviews: question,
    selfsubjectrulesreviews: question,
    subjectaccessreviews: question,
  },
  autoscaling: { horizontalpodautoscalers: withStatus },
  batch: { cronjobs: withStatus, jobs: withStatus },
  'certificates.k8s.io': { certificatesigningrequests: resource([edited('approval'), status]) },
  'coordination.k8s.io': { leases: plain },
  'discovery.k8s.io': { endpointslices: plain },
  'events.k8s.io': { events: plain },
  // Gone since Kubernetes 1.22; published roles still name it.
  extensions: {
    daemonsets: withStatus,
    deployments: scaled,
    ingresses: withStatus,
    networkpolicies: plain,
    replicasets: scaled,
  },
  'flowcontrol.apiserver.k8s.io': {
    flowschemas: withStatus,
    prioritylevelconfigurations: withStatus,
  },
  'networking.k8s.io': {
    ingressclasses: plain,
    ingresses: withStatus,
    ipaddresses: plain,
    networkpolicies: plain,
    servicecidrs: withStatus,
  },
  'node.k8s.io': { runtimeclasses: plain },
  policy: { poddisruptionbudgets: withStatus },
  'rbac.authorization.k8s.io': {
    clusterrolebindings: plain,
    clusterroles: resource([], ['bind', 'escalate']),
    rolebindings: plain,
    roles: resource([], ['bind', 'escalate']),
  },
  'resource.k8s.io': {
    deviceclasses: plain,
    resourceclaims: withStatus,
    resourceclaimtemplates: plain,
    resourceslices: plain,
  },
  'scheduling.k8s.io': { priorityclasses: plain },
  'storage.k8s.io': {
    csidrivers: plain,
    csinodes: plain,
    csistoragecapacities: plain,
    storageclasses: plain,
    volumeattachments: withStatus,
    volumeattributesclasses: plain,
  },
}

/** In the table and not in discovery: a group of the past, and names only `impersonate` is asked about. */
export const notInDiscovery: readonly string[] = ['extensions/*', 'users', 'groups']
