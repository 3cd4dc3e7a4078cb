/**
 * `sallyport role assignment delete`.
 * @module
 */
import { SallyportError } from '@sallyport/protocol'
import { deleteAssignment } from '../hub/roles.ts'
import { openHub } from '../hub/session.ts'
import type { Command, CommandContext } from './command.ts'
import { yesOption } from './options.ts'
import { searchAssignments } from './role-assignment-search.ts'
import { assigneeOptions, roleOption, scopeOptions } from './role-options.ts'

/** Takes roles away. */
export const roleAssignmentDelete: Command = {
  summary: 'take roles away',
  description: ['Sessions of principals who lose access end within seconds.'],
  options: [
    { long: 'ids', value: 'ID', variadic: true, summary: 'ids of assignments' },
    ...assigneeOptions,
    roleOption,
    ...scopeOptions,
    { long: 'include-inherited', summary: 'also what is assigned above the scope' },
    { ...yesOption, summary: 'as az has it; nothing is asked anyway' },
  ],
  examples: [
    {
      what: 'one role of one user',
      line: 'sallyport role assignment delete --assignee ada@example.com --role Reader --scope CLUSTER_ID',
    },
  ],
  run: async (context) => {
    const ids = context.flags.list('ids')
    const chosen = ['assignee', 'assignee-object-id', 'role']
    if (ids === undefined && chosen.every((name) => context.flags.text(name) === undefined)) {
      throw new SallyportError('ERR_USAGE', 'nobody and no role is named', {
        remedy: 'pass --ids, --assignee or --role',
      })
    }
    await using hub = await openHub(context)
    const found = ids?.map(parseId) ?? (await toBeDeleted(context, hub))
    for (const one of found) await deleteAssignment(hub, one)
    context.detail(`${found.length} deleted`)
    return 0
  },
}

async function toBeDeleted(context: CommandContext, hub: Parameters<typeof searchAssignments>[1]) {
  const { assignments } = await searchAssignments(context, hub)
  if (assignments.length > 0) return assignments.map(({ id }) => parseId(id))
  throw new SallyportError('ERR_ROLE_ASSIGNMENT_NOT_FOUND', 'no such role is assigned there')
}

/** Scope and name of an assignment's id. @throws SallyportError ERR_USAGE. */
export function parseId(text: string): { id: string; scope: string } {
  const match =
    /^(.*)\/providers\/microsoft\.authorization\/roleassignments\/([0-9a-f-]{36})\/?$/i.exec(text)
  const [, scope = '', id] = match ?? []
  if (id === undefined) {
    throw new SallyportError('ERR_USAGE', `'${text}' is not the id of a role assignment`)
  }
  return { id, scope: scope === '' ? '/' : scope }
}
