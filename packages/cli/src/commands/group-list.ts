/**
 * `sallyport group list`.
 * @module
 */
import { listGroups } from '../hub/clusters.ts'
import { openHub } from '../hub/session.ts'
import type { Command } from './command.ts'
import { groupColumns, groupView } from './group-view.ts'

/** Lists the resource groups of the subscription. */
export const groupList: Command = {
  summary: 'list resource groups',
  options: [],
  examples: [{ what: 'names only', line: "sallyport group list --query '[].name' -o tsv" }],
  run: async (context) => {
    await using hub = await openHub(context)
    await context.print((await listGroups(hub)).map(groupView), groupColumns)
    return 0
  },
}
