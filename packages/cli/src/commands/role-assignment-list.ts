/**
 * `sallyport role assignment list`.
 * @module
 */
import { openHub } from '../hub/session.ts'
import type { Command } from './command.ts'
import { searchAssignments } from './role-assignment-search.ts'
import { assigneeOptions, roleOption, scopeOptions } from './role-options.ts'
import { assignmentColumns, assignmentViews } from './role-view.ts'

/** Lists who has which role where. */
export const roleAssignmentList: Command = {
  summary: 'list who has which role where',
  options: [
    ...assigneeOptions,
    roleOption,
    ...scopeOptions,
    { long: 'all', summary: 'everything in the subscription' },
    { long: 'include-inherited', summary: 'also what is assigned above the scope' },
    { long: 'include-groups', summary: "also what the assignee's groups have" },
  ],
  examples: [
    { what: 'everything', line: 'sallyport role assignment list --all -o table' },
    {
      what: 'who may do what on a cluster',
      line: 'sallyport role assignment list --scope CLUSTER_ID --include-inherited',
    },
  ],
  run: async (context) => {
    await using hub = await openHub(context)
    const { scope, assignments } = await searchAssignments(context, hub)
    await context.print(await assignmentViews(hub, scope, assignments), assignmentColumns)
    return 0
  },
}
