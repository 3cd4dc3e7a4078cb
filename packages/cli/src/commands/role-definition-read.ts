/**
 * `sallyport role definition list`, `show` and `delete`.
 * @module
 */
import { deleteRole, findRole, listRoles } from '../hub/roles.ts'
import { openHub } from '../hub/session.ts'
import type { Command, CommandContext } from './command.ts'
import { scopeOptions, wantedScope } from './role-options.ts'
import { roleColumns, roleView } from './role-view.ts'

const nameOption = {
  long: 'name',
  short: 'n',
  value: 'ROLE',
  summary: 'name or GUID of the role',
} as const
const idOption = { long: 'id', value: 'ID', summary: 'id of the role' } as const

/** Lists roles. */
export const roleDefinitionList: Command = {
  summary: 'list roles, built-in and custom',
  options: [
    nameOption,
    ...scopeOptions,
    { long: 'custom-role-only', summary: 'custom roles only' },
  ],
  examples: [{ what: 'names and ids', line: 'sallyport role definition list -o table' }],
  run: async (context) => {
    const { flags } = context
    await using hub = await openHub(context)
    const scope = wantedScope(context, hub)
    const name = flags.text('name')
    const roles =
      name === undefined
        ? await listRoles(hub, scope, 'atScopeAndBelow()')
        : [await findRole(hub, scope, name)]
    const shown = flags.on('custom-role-only')
      ? roles.filter(({ properties }) => properties.type === 'CustomRole')
      : roles
    await context.print(shown.map(roleView), roleColumns)
    return 0
  },
}

/** Shows a role. */
export const roleDefinitionShow: Command = {
  summary: 'show a role',
  options: [nameOption, idOption, ...scopeOptions],
  examples: [{ what: 'what it allows', line: 'sallyport role definition show -n Reader' }],
  run: async (context) => {
    const named = wantedRole(context)
    await using hub = await openHub(context)
    await context.print(
      roleView(await findRole(hub, wantedScope(context, hub), named)),
      roleColumns,
    )
    return 0
  },
}

/** Deletes a custom role. */
export const roleDefinitionDelete: Command = {
  summary: 'delete a custom role that is not assigned',
  options: [nameOption, idOption, ...scopeOptions],
  examples: [{ what: 'by name', line: 'sallyport role definition delete -n "Deployment Reader"' }],
  run: async (context) => {
    const named = wantedRole(context)
    await using hub = await openHub(context)
    const scope = wantedScope(context, hub)
    const role = await findRole(hub, scope, named)
    await deleteRole(hub, scope, role.name)
    return 0
  },
}

function wantedRole({ flags }: CommandContext): string {
  return flags.text('id') ?? flags.required('name', '-n ROLE')
}
