/**
 * `sallyport role assignment update`.
 * @module
 */
import { SallyportError } from '@sallyport/protocol'
import { putAssignment } from '../hub/roles.ts'
import { openHub } from '../hub/session.ts'
import type { Command } from './command.ts'
import { parseId } from './role-assignment-delete.ts'
import { jsonFlag } from './role-options.ts'
import { assignmentColumns, assignmentViews } from './role-view.ts'

/** Changes description and expiry of an assignment. */
export const roleAssignmentUpdate: Command = {
  summary: 'change description or expiry of an assignment',
  options: [
    {
      long: 'role-assignment',
      value: 'JSON',
      summary: 'the assignment as `list` shows it, changed; JSON, @FILE or a path',
      complete: 'file',
    },
  ],
  examples: [
    {
      what: 'from a file',
      line: 'sallyport role assignment update --role-assignment @assignment.json',
    },
  ],
  run: async (context) => {
    const given = jsonFlag(context, 'role-assignment')
    const text = (name: string): string => {
      const value = given[name]
      if (typeof value === 'string') return value
      throw new SallyportError('ERR_USAGE', `--role-assignment has no '${name}'`)
    }
    const optional = (name: string): string | null => {
      const value = given[name]
      return typeof value === 'string' ? value : null
    }
    const { id, scope } = parseId(text('id'))
    await using hub = await openHub(context)
    const changed = await putAssignment(hub, {
      id,
      scope,
      body: {
        properties: {
          roleDefinitionId: text('roleDefinitionId'),
          principalId: text('principalId'),
          description: optional('description'),
          expiresOn: optional('expiresOn'),
          condition: optional('condition'),
        },
      },
    })
    const [view] = await assignmentViews(hub, scope, [changed])
    await context.print(view, assignmentColumns)
    return 0
  },
}
