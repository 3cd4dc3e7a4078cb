/**
 * `sallyport group create`.
 * @module
 */
import { putGroup } from '../hub/clusters.ts'
import { openHub } from '../hub/session.ts'
import { defaultLocation } from '../hub/locations.ts'
import type { Command } from './command.ts'
import {
  groupColumns,
  groupName,
  groupNameArgument,
  groupNameOptions,
  groupView,
} from './group-view.ts'
import { parseTags, tagsOption } from './tags.ts'

/** Makes a resource group, or changes its tags. */
export const groupCreate: Command = {
  summary: 'make a resource group',
  arguments: [groupNameArgument],
  options: [
    ...groupNameOptions,
    {
      long: 'location',
      short: 'l',
      value: 'NAME',
      summary: 'location; default: the first of the hub',
    },
    tagsOption,
  ],
  examples: [{ what: 'a group for the shops', line: 'sallyport group create -n stores' }],
  run: async (context) => {
    const name = groupName(context)
    const tags = parseTags(context.flags.list('tags'))
    await using hub = await openHub(context)
    const location = context.flags.text('location') ?? (await defaultLocation(hub))
    const group = await putGroup(hub, name, { location, ...(tags === undefined ? {} : { tags }) })
    await context.print(groupView(group), groupColumns)
    return 0
  },
}
