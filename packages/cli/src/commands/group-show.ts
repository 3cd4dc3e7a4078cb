/**
 * `sallyport group show`.
 * @module
 */
import { getGroup } from '../hub/clusters.ts'
import { openHub } from '../hub/session.ts'
import type { Command } from './command.ts'
import {
  groupColumns,
  groupName,
  groupNameArgument,
  groupNameOptions,
  groupView,
} from './group-view.ts'

/** Shows one resource group. */
export const groupShow: Command = {
  summary: 'show a resource group',
  arguments: [groupNameArgument],
  options: groupNameOptions,
  examples: [{ what: 'where it is', line: 'sallyport group show stores --query location -o tsv' }],
  run: async (context) => {
    const name = groupName(context)
    await using hub = await openHub(context)
    await context.print(groupView(await getGroup(hub, name)), groupColumns)
    return 0
  },
}
