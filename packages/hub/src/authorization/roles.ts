/**
 * What a role is, and what it allows.
 * @module
 */
import { matchesAny } from './match.ts'

/** One set of rights: what `actions` name without what `notActions` name; likewise for data actions. */
export interface RolePermission {
  actions: readonly string[]
  notActions: readonly string[]
  dataActions: readonly string[]
  notDataActions: readonly string[]
}

/** A role definition, built in or custom. */
export interface RoleDefinition {
  /** Lower-case GUID. */
  id: string
  name: string
  description: string
  type: 'BuiltInRole' | 'CustomRole'
  permissions: readonly RolePermission[]
  /** Scopes in which the role may be assigned. */
  assignableScopes: readonly string[]
  /** Absent on built-in roles. */
  changes?: { createdBy: string; createdAt: number; modifiedBy: string; modifiedAt: number }
}

/** Which half of a role is asked: the hub's actions or those inside a cluster. */
export type ActionKind = 'action' | 'dataAction'

/** Whether a role allows an action. Each permission is looked at for itself: a `notActions` takes away from its own only, as in Azure. */
export function roleAllows(
  permissions: readonly RolePermission[],
  action: string,
  kind: ActionKind = 'action',
): boolean {
  return permissions.some((permission) =>
    kind === 'action'
      ? matchesAny(permission.actions, action) && !matchesAny(permission.notActions, action)
      : matchesAny(permission.dataActions, action) &&
        !matchesAny(permission.notDataActions, action),
  )
}
