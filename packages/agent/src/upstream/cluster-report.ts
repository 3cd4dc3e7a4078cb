/**
 * What the heartbeat tells about the cluster: version, nodes, cores, and whose cluster it looks like.
 * @module
 */
import { parser, type Heartbeat } from '@sallyport/protocol'
import Type, { type Static } from 'typebox'
import { readAsAgent } from './agent-call.ts'
import type { UpstreamTarget } from './target.ts'

/** Facts of the cluster, all optional: the agent may lack the right to list nodes. */
export type ClusterReport = Pick<
  Heartbeat,
  'kubernetesVersion' | 'totalNodeCount' | 'totalCoreCount' | 'distribution' | 'infrastructure'
>

const open = { additionalProperties: true } as const
const parseVersion = parser(
  Type.Object({ gitVersion: Type.String({ maxLength: 64 }) }, open),
  'answer of /version',
  'ERR_UPSTREAM_UNREACHABLE',
)
const parseNamespace = parser(
  Type.Object({ metadata: Type.Object({ uid: Type.String({ maxLength: 64 }) }, open) }, open),
  'answer for namespace kube-system',
  'ERR_UPSTREAM_UNREACHABLE',
)
const NodeSchema = Type.Object(
  {
    metadata: Type.Object(
      { labels: Type.Optional(Type.Record(Type.String(), Type.String())) },
      open,
    ),
    spec: Type.Optional(Type.Object({ providerID: Type.Optional(Type.String()) }, open)),
    status: Type.Optional(
      Type.Object(
        {
          capacity: Type.Optional(
            Type.Object({ cpu: Type.Optional(Type.Union([Type.String(), Type.Number()])) }, open),
          ),
        },
        open,
      ),
    ),
  },
  open,
)
type Node = Static<typeof NodeSchema>
const parseNodes = parser(
  Type.Object(
    {
      metadata: Type.Object({ continue: Type.Optional(Type.String()) }, open),
      items: Type.Array(NodeSchema),
    },
    open,
  ),
  'list of nodes',
  'ERR_UPSTREAM_UNREACHABLE',
)

const nodesPerPage = 250
const pagesMax = 40

/** UID of namespace kube-system, which names the cluster itself. @throws SallyportError or the failure of the connection. */
export async function readKubernetesUid(
  target: UpstreamTarget,
  signal: AbortSignal,
): Promise<string> {
  const answer = await readAsAgent(target, '/api/v1/namespaces/kube-system', signal)
  return parseNamespace(answer).metadata.uid
}

async function listNodes(target: UpstreamTarget, signal: AbortSignal): Promise<Node[]> {
  const nodes: Node[] = []
  let next = ''
  for (let page = 0; page < pagesMax; page++) {
    const query = `limit=${nodesPerPage}${next === '' ? '' : `&continue=${encodeURIComponent(next)}`}`
    const list = parseNodes(await readAsAgent(target, `/api/v1/nodes?${query}`, signal))
    nodes.push(...list.items)
    next = list.metadata.continue ?? ''
    if (next === '') break
  }
  return nodes
}

/** Cores of a Kubernetes quantity: `8`, `7910m`; 0 when it is something else. */
function cores(quantity: string | number | undefined): number {
  const match = /^(\d+)(m?)$/.exec(`${quantity ?? ''}`)
  if (match === null) return 0
  return Number(match[1]) / (match[2] === 'm' ? 1000 : 1)
}

const versionMarks = [
  ['+k3s', 'k3s'],
  ['+rke2', 'rke2'],
  ['-eks-', 'eks'],
  ['-gke.', 'gke'],
  ['+k0s', 'k0s'],
  ['+vmware', 'tkg'],
] as const

const labelMarks = [
  ['kubernetes.azure.com/cluster', 'aks'],
  ['node.openshift.io/os_id', 'openshift'],
  ['eks.amazonaws.com/nodegroup', 'eks'],
  ['cloud.google.com/gke-nodepool', 'gke'],
  ['microk8s.io/cluster', 'microk8s'],
  ['minikube.k8s.io/name', 'minikube'],
] as const

function guessDistribution(version: string, nodes: readonly Node[]): string {
  const byVersion = versionMarks.find(([mark]) => version.includes(mark))?.[1]
  if (byVersion !== undefined) return byVersion
  const labels = nodes[0]?.metadata.labels ?? {}
  const byLabel = labelMarks.find(([label]) => Object.hasOwn(labels, label))?.[1]
  if (byLabel !== undefined) return byLabel
  return (nodes[0]?.spec?.providerID ?? '').startsWith('kind://') ? 'kind' : 'generic'
}

const providers: Readonly<Record<string, string>> = {
  aws: 'aws',
  azure: 'azure',
  gce: 'gcp',
  openstack: 'openstack',
  vsphere: 'vsphere',
}

function guessInfrastructure(nodes: readonly Node[]): string {
  const scheme = (nodes[0]?.spec?.providerID ?? '').split('://', 1)[0] ?? ''
  return (Object.hasOwn(providers, scheme) ? providers[scheme] : undefined) ?? 'generic'
}

/**
 * Asks the API server; nodes are left out when the agent may not list them.
 * @throws SallyportError or the connection's failure when the server cannot be asked for its version.
 */
export async function readClusterReport(
  target: UpstreamTarget,
  signal: AbortSignal,
): Promise<ClusterReport> {
  const { gitVersion } = parseVersion(await readAsAgent(target, '/version', signal))
  const kubernetesVersion = gitVersion.replace(/^v/, '')
  let nodes: Node[]
  try {
    nodes = await listNodes(target, signal)
  } catch {
    signal.throwIfAborted()
    return { kubernetesVersion }
  }
  return {
    kubernetesVersion,
    totalNodeCount: nodes.length,
    totalCoreCount: Math.floor(
      nodes.reduce((sum, node) => sum + cores(node.status?.capacity?.cpu), 0),
    ),
    distribution: guessDistribution(gitVersion, nodes),
    infrastructure: guessInfrastructure(nodes),
  }
}
