/**
 * The RBAC objects that role assignments call for. Pure: the same assignments give the same objects.
 * @module
 */
import { createHash } from 'node:crypto'
import {
  rbacBindingName,
  rbacManager,
  rbacMarks,
  rbacRoleName,
  rulesOf,
  type AgentAssignment,
  type AgentAssignments,
  type PolicyRule,
  type RbacAddress,
} from '@sallyport/protocol'

/** The part of an object that decides who may do what. */
export type RbacSpec =
  | { rules: PolicyRule[] }
  | {
      roleRef: { apiGroup: string; kind: string; name: string }
      subjects: { apiGroup: string; kind: string; name: string }[]
    }

/** One object as it must be. */
export interface DesiredObject extends RbacAddress {
  labels: Record<string, string>
  annotations: Record<string, string>
  spec: RbacSpec
}

/** All of them by `keyOf`, and the roles that cannot be materialised, with the reasons. */
export interface Desired {
  objects: ReadonlyMap<string, DesiredObject>
  refused: readonly { roleId: string; problems: readonly string[] }[]
}

const group = 'rbac.authorization.k8s.io'

/** Identity of an object in maps. */
export function keyOf(address: RbacAddress): string {
  return `${address.kind} ${address.namespace ?? ''} ${address.name}`
}

/** JSON with members in order: the API server gives them back in its own. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}

/** Short hash of a spec, kept as an annotation beside it. */
export function hashOf(spec: unknown): string {
  return createHash('sha256').update(canonical(spec)).digest('base64url').slice(0, 22)
}

function roleObject(mark: string, role: { id: string; name: string }, rules: PolicyRule[]) {
  return {
    kind: 'ClusterRole' as const,
    name: rbacRoleName(mark, role.id),
    labels: labelsOf(mark, { [rbacMarks.role]: role.id.toLowerCase() }),
    annotations: { [rbacMarks.roleName]: role.name, [rbacMarks.spec]: hashOf({ rules }) },
    spec: { rules },
  }
}

function bindingObject(mark: string, assignment: AgentAssignment): DesiredObject {
  const { id, principalId, subjectKind, namespace, roleId } = assignment
  const spec = {
    roleRef: { apiGroup: group, kind: 'ClusterRole', name: rbacRoleName(mark, roleId) },
    // Object ids are lower case in tokens, and RBAC compares names byte by byte.
    subjects: [{ apiGroup: group, kind: subjectKind, name: principalId.toLowerCase() }],
  }
  return {
    kind: namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding',
    name: rbacBindingName(mark, id),
    namespace,
    labels: labelsOf(mark, { [rbacMarks.assignment]: id.toLowerCase() }),
    annotations: { [rbacMarks.spec]: hashOf(spec) },
    spec,
  }
}

function labelsOf(mark: string, own: Record<string, string>): Record<string, string> {
  return { [rbacMarks.managedBy]: rbacManager, [rbacMarks.cluster]: mark, ...own }
}

/** Computes them. A role without rules, or with one that RBAC cannot say, has no objects at all, and neither have its assignments. */
export function desiredObjects(
  { roles, assignments }: Pick<AgentAssignments, 'roles' | 'assignments'>,
  mark: string,
): Desired {
  const objects = new Map<string, DesiredObject>()
  const refused: { roleId: string; problems: string[] }[] = []
  const usable = new Map<string, DesiredObject>()
  for (const role of roles) {
    const { rules, problems } = rulesOf(role.permissions)
    if (problems.length > 0) refused.push({ roleId: role.id, problems })
    if (rules.length > 0) usable.set(role.id.toLowerCase(), roleObject(mark, role, rules))
  }
  for (const assignment of assignments) {
    const role = usable.get(assignment.roleId.toLowerCase())
    if (role === undefined) continue
    objects.set(keyOf(role), role)
    const binding = bindingObject(mark, assignment)
    objects.set(keyOf(binding), binding)
  }
  return { objects, refused }
}

/** The object as server-side apply takes it; `uid` makes it fail on any other object of that name. */
export function manifestOf(object: DesiredObject, uid: string | undefined): object {
  const { kind, name, namespace, labels, annotations, spec } = object
  return {
    apiVersion: `${group}/v1`,
    kind,
    metadata: {
      name,
      labels,
      annotations,
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
    },
    ...spec,
  }
}
