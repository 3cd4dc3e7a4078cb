/**
 * Which assignments a line means: as az searches them.
 * @module
 */
import { SallyportError, type RoleAssignment } from '@sallyport/protocol'
import type { Scope } from '../hub/clusters.ts'
import { findRole, listAssignments } from '../hub/roles.ts'
import type { CommandContext } from './command.ts'
import { wantedAssignee, wantedScope } from './role-options.ts'

/**
 * Assignments at exactly the scope; with --include-inherited those above it too, with --all everything in the subscription.
 * @throws SallyportError ERR_USAGE, ERR_ROLE_NOT_FOUND, ERR_PRINCIPAL_NOT_FOUND.
 */
export async function searchAssignments(
  context: CommandContext,
  hub: Scope,
): Promise<{ scope: string; assignments: RoleAssignment[] }> {
  const { flags } = context
  const all = flags.on('all')
  const hasScope = flags.text('scope') !== undefined || flags.text('resource-group') !== undefined
  if (all && hasScope) {
    throw new SallyportError('ERR_USAGE', '--all and a scope exclude each other')
  }
  const scope = wantedScope(context, hub)
  const assignee = await wantedAssignee(context, hub)
  const named = flags.text('role')
  const role = named === undefined ? undefined : await findRole(hub, scope, named)
  const filter = [
    ...(all ? [] : ['atScope()']),
    ...(assignee === undefined
      ? []
      : [
          flags.on('include-groups') ? `assignedTo('${assignee}')` : `principalId eq '${assignee}'`,
        ]),
  ].join(' and ')
  const found = await listAssignments(hub, scope, filter === '' ? undefined : filter)
  const wanted = normal(scope)
  const isWanted = ({ properties }: RoleAssignment): boolean => {
    if (role !== undefined && properties.roleDefinitionId.split('/').at(-1) !== role.name)
      return false
    return all || flags.on('include-inherited') || normal(properties.scope) === wanted
  }
  return { scope, assignments: found.filter(isWanted) }
}

const normal = (scope: string): string =>
  `/${scope}`
    .replaceAll(/\/{2,}/g, '/')
    .replace(/(.)\/$/, '$1')
    .toLowerCase()
