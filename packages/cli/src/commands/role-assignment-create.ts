/**
 * `sallyport role assignment create`.
 * @module
 */
import { isSallyportError, SallyportError } from '@sallyport/protocol'
import { findRole, putAssignment } from '../hub/roles.ts'
import { openHub } from '../hub/session.ts'
import type { Command, CommandContext } from './command.ts'
import {
  assigneeOptions,
  roleOption,
  scopeOptions,
  wantedAssignee,
  wantedScope,
} from './role-options.ts'
import { assignmentColumns, assignmentViews } from './role-view.ts'
import { searchAssignments } from './role-assignment-search.ts'

const name = {
  long: 'name',
  short: 'n',
  value: 'GUID',
  summary: 'name of the assignment; default: a new one',
}

/** Gives a principal a role at a scope. */
export const roleAssignmentCreate: Command = {
  summary: 'give a principal a role at a scope',
  options: [
    ...assigneeOptions,
    {
      long: 'assignee-principal-type',
      value: 'TYPE',
      summary: 'checked when given',
      complete: ['User', 'Group', 'ServicePrincipal'],
    },
    roleOption,
    ...scopeOptions,
    { long: 'description', value: 'TEXT', summary: 'why' },
    { long: 'expires-on', value: 'TIME', summary: 'when it ends, as 2030-01-31T18:00:00Z' },
    name,
  ],
  examples: [
    {
      what: 'let a user reach a cluster',
      line: 'sallyport role assignment create --assignee ada@example.com --role "Azure Arc Enabled Kubernetes Cluster User Role" --scope CLUSTER_ID',
    },
    {
      what: 'and read one namespace of it',
      line: 'sallyport role assignment create --assignee ada@example.com --role "Azure Arc Kubernetes Viewer" --scope CLUSTER_ID/namespaces/shop',
    },
  ],
  run: async (context) => {
    const { flags } = context
    const named = flags.required('role')
    if (flags.text('assignee') === undefined) flags.required('assignee-object-id', '--assignee')
    await using hub = await openHub(context)
    const scope = wantedScope(context, hub)
    const role = await findRole(hub, scope, named)
    const principalId = await wantedAssignee(context, hub)
    if (principalId === undefined) throw new SallyportError('ERR_USAGE', '--assignee is required')
    const id = flags.text('name')
    const more = optional(context)
    const made = await putAssignment(hub, {
      ...(id === undefined ? {} : { id }),
      scope,
      body: { properties: { roleDefinitionId: role.id, principalId, ...more } },
    }).catch(async (error: unknown) => {
      // As az does: what is asked for is there. With details of its own it may not be what is asked for.
      const isSame = isSallyportError(error) && error.code === 'ERR_ROLE_ASSIGNMENT_EXISTS'
      if (!isSame || id !== undefined || Object.keys(more).length > 0) throw error
      const { assignments } = await searchAssignments(context, hub)
      const [existing] = assignments
      if (existing === undefined) throw error
      return existing
    })
    const [view] = await assignmentViews(hub, scope, [made])
    await context.print(view, assignmentColumns)
    return 0
  },
}

function optional({ flags }: CommandContext) {
  const principalType = flags.text('assignee-principal-type')
  const description = flags.text('description')
  const expiresOn = flags.text('expires-on')
  return {
    ...(principalType === undefined ? {} : { principalType }),
    ...(description === undefined ? {} : { description }),
    ...(expiresOn === undefined ? {} : { expiresOn }),
  }
}
