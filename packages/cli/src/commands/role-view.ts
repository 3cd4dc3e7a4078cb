/**
 * Role definitions and assignments as az prints them.
 * @module
 */
import type { RoleAssignment, RoleDefinitionResource } from '@sallyport/protocol'
import { principalNames } from '../hub/assignees.ts'
import type { Scope } from '../hub/clusters.ts'
import { listRoles } from '../hub/roles.ts'
import { flattenResource } from '../output/flatten.ts'
import { column, type Column } from '../output/table.ts'
import { inline, type JsonObject } from '../output/value.ts'

/** Columns of role definitions. */
export const roleColumns: Column[] = [
  column('NAME', 'roleName'),
  column('ID', 'name'),
  column('TYPE', 'roleType'),
]

/** Columns of role assignments. */
export const assignmentColumns: Column[] = [
  { header: 'PRINCIPAL', text: (row) => inline(row['principalName'] ?? row['principalId']) },
  column('KIND', 'principalType'),
  column('ROLE', 'roleDefinitionName'),
  column('SCOPE', 'scope'),
  column('EXPIRES', 'expiresOn'),
]

/** A role: az calls the member `type` of its properties `roleType`. */
export function roleView(role: RoleDefinitionResource): JsonObject {
  return { ...flattenResource({ ...role }), roleType: role.properties.type }
}

/** Assignments with the names of roles and principals. */
export async function assignmentViews(
  hub: Scope,
  scope: string,
  assignments: readonly RoleAssignment[],
): Promise<JsonObject[]> {
  const roles = assignments.length === 0 ? [] : await listRoles(hub, scope, 'atScopeAndBelow()')
  const roleNames = new Map(roles.map((role) => [role.name, role.properties.roleName]))
  const people = await principalNames(
    hub,
    assignments.map(({ properties }) => properties.principalId),
  )
  return assignments.map((assignment) => {
    const { roleDefinitionId, principalId } = assignment.properties
    return {
      ...flattenResource({ ...assignment }),
      principalName: people.get(principalId.toLowerCase()) ?? null,
      roleDefinitionName: roleNames.get(roleDefinitionId.split('/').at(-1) ?? '') ?? null,
    }
  })
}
