/**
 * Names and marks of the RBAC objects an agent makes from role assignments, for the agent that keeps them and the CLI that removes them.
 * @module
 */
import Type, { type Static } from 'typebox'

/** Field manager of server-side apply; what it never applied is not ours, whatever its name or labels say. */
export const rbacFieldManager = 'sallyport-agent'

/** Keys of labels and annotations. */
export const rbacMarks = {
  managedBy: 'app.kubernetes.io/managed-by',
  cluster: 'sallyport.dev/cluster',
  assignment: 'sallyport.dev/assignment',
  role: 'sallyport.dev/role',
  roleName: 'sallyport.dev/role-name',
  spec: 'sallyport.dev/spec',
} as const

/** Value of the label `app.kubernetes.io/managed-by`. */
export const rbacManager = 'sallyport'

/** Kinds of objects the agent makes, bindings first: the order of removal. */
export const rbacKinds = [
  { kind: 'ClusterRoleBinding', plural: 'clusterrolebindings' },
  { kind: 'RoleBinding', plural: 'rolebindings' },
  { kind: 'ClusterRole', plural: 'clusterroles' },
] as const
export type RbacKind = (typeof rbacKinds)[number]['kind']

const apiPath = '/apis/rbac.authorization.k8s.io/v1'

/** What a materialised object is called and where it is. */
export interface RbacAddress {
  kind: RbacKind
  name: string
  namespace?: string | undefined
}

/** Path of all objects of a kind in all namespaces. */
export function rbacListPath(kind: RbacKind): string {
  return `${apiPath}/${rbacKinds.find((entry) => entry.kind === kind)?.plural ?? ''}`
}

/** Path of one object. */
export function rbacObjectPath(address: RbacAddress): string {
  const plural = rbacKinds.find(({ kind }) => kind === address.kind)?.plural ?? ''
  const within =
    address.namespace === undefined ? '' : `/namespaces/${encodeURIComponent(address.namespace)}`
  return `${apiPath}${within}/${plural}/${encodeURIComponent(address.name)}`
}

/** Short form of a cluster's hash in names and labels: two hubs may serve one Kubernetes cluster. */
export function rbacClusterMark(clusterHash: string): string {
  return clusterHash.slice(0, 16)
}

/** What all names begin with; a colon cannot be in the name of a custom resource or a namespace. */
export function rbacNamePrefix(mark: string): string {
  return `sallyport.dev:${mark}:`
}

/** Name of the ClusterRole of a role definition. */
export function rbacRoleName(mark: string, roleId: string): string {
  return `${rbacNamePrefix(mark)}role:${roleId.toLowerCase()}`
}

/** Name of the binding of a role assignment. */
export function rbacBindingName(mark: string, assignmentId: string): string {
  return `${rbacNamePrefix(mark)}assignment:${assignmentId.toLowerCase()}`
}

const open = { additionalProperties: true } as const
const Text = Type.Record(Type.String(), Type.String())

/** Metadata of an object, as far as it tells whose it is. */
export const RbacMetadataSchema = Type.Object(
  {
    name: Type.String(),
    namespace: Type.Optional(Type.String()),
    uid: Type.String(),
    labels: Type.Optional(Text),
    annotations: Type.Optional(Text),
    managedFields: Type.Optional(
      Type.Array(
        Type.Object(
          { manager: Type.Optional(Type.String()), operation: Type.Optional(Type.String()) },
          open,
        ),
      ),
    ),
  },
  open,
)
export type RbacMetadata = Static<typeof RbacMetadataSchema>

/** `ours`: made by the agent of this cluster. `foreign`: looks like it and is not. `other`: has nothing to do with it. */
export function rbacOwner(metadata: RbacMetadata, mark: string): 'ours' | 'foreign' | 'other' {
  const named = metadata.name.startsWith(rbacNamePrefix(mark))
  const labelled =
    metadata.labels?.[rbacMarks.managedBy] === rbacManager &&
    metadata.labels[rbacMarks.cluster] === mark
  if (!named && !labelled) return 'other'
  const applied = metadata.managedFields?.some(
    ({ manager, operation }) => manager === rbacFieldManager && operation === 'Apply',
  )
  // Labels may have been taken off by hand: name and field manager are what counts.
  return named && applied === true ? 'ours' : 'foreign'
}
