/**
 * What must be true of a cluster before it is connected.
 * @module
 */
import Type from 'typebox'
import { SallyportError } from '@sallyport/protocol'
import { createKubernetesClient, type KubernetesClient } from './kubernetes-client.ts'
import type { KubeContext } from './kube-context.ts'

/** A cluster that can be connected. */
export interface CheckedCluster {
  /** `v1.34.1`. */
  version: string
  /** UID of namespace kube-system: names the cluster itself. */
  uid: string
}

const open = { additionalProperties: true } as const
const VersionSchema = Type.Object({ gitVersion: Type.String({ maxLength: 64 }) }, open)
const NamespaceSchema = Type.Object(
  { metadata: Type.Object({ uid: Type.String({ minLength: 1, maxLength: 64 }) }, open) },
  open,
)
const ReviewSchema = Type.Object({ status: Type.Object({ allowed: Type.Boolean() }, open) }, open)

const bindings = 'rbac.authorization.k8s.io'

/** What the agent does as the user of the kubeconfig; it watches bindings for principals with very many groups. */
const rights = [
  { verb: 'impersonate', group: '', resource: 'users' },
  { verb: 'impersonate', group: '', resource: 'groups' },
  {
    verb: 'impersonate',
    group: 'authentication.k8s.io',
    resource: 'userextras',
    subresource: 'sallyport.dev/sid',
  },
  { verb: 'list', group: bindings, resource: 'clusterrolebindings' },
  { verb: 'watch', group: bindings, resource: 'clusterrolebindings' },
  { verb: 'list', group: bindings, resource: 'rolebindings' },
  { verb: 'watch', group: bindings, resource: 'rolebindings' },
] as const

/**
 * Reaches the API server, reads its identity, and asks whether the user may do what the agent does.
 * @throws SallyportError ERR_KUBERNETES_UNREACHABLE, ERR_KUBERNETES_TOKEN, ERR_KUBERNETES_FORBIDDEN.
 */
export async function checkCluster(
  context: KubeContext,
  signal: AbortSignal,
): Promise<CheckedCluster> {
  const client = createKubernetesClient(context)
  try {
    const { gitVersion } = await client.get('/version', VersionSchema, signal)
    const { metadata } = await client.get('/api/v1/namespaces/kube-system', NamespaceSchema, signal)
    await checkRights(client, context, signal)
    return { version: gitVersion, uid: metadata.uid }
  } finally {
    await client.close()
  }
}

async function checkRights(
  client: KubernetesClient,
  context: KubeContext,
  signal: AbortSignal,
): Promise<void> {
  const answers = await Promise.all(
    rights.map(async (attributes) => {
      const body = {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        spec: { resourceAttributes: attributes },
      }
      const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'
      const { status } = await client.post({ path, body }, ReviewSchema, signal)
      return status.allowed ? [] : [`${attributes.verb} ${attributes.resource}`]
    }),
  )
  const missing = answers.flat()
  if (missing.length === 0) return
  throw new SallyportError(
    'ERR_KUBERNETES_FORBIDDEN',
    `the user of ${context.file} may not ${missing.join(', ')}`,
    {
      why: 'the agent passes the identity of each user on to the API server, and of many groups those that bindings name',
      remedy:
        'use a kubeconfig whose user is cluster-admin, or may impersonate users, groups and userextras, and list and watch clusterrolebindings and rolebindings',
    },
  )
}
