/**
 * `sallyport group delete`.
 * @module
 */
import { deleteGroup, getGroup, listClusters } from '../hub/clusters.ts'
import { openHub } from '../hub/session.ts'
import { confirmByName } from './ask.ts'
import type { Command } from './command.ts'
import { groupName, groupNameArgument, groupNameOptions } from './group-view.ts'
import { yesOption } from './options.ts'

/** Deletes a resource group and the clusters in it. */
export const groupDelete: Command = {
  summary: 'delete a resource group with everything in it',
  arguments: [groupNameArgument],
  options: [...groupNameOptions, yesOption],
  examples: [{ what: 'without being asked', line: 'sallyport group delete -n stores --yes' }],
  run: async (context) => {
    const name = groupName(context)
    await using hub = await openHub(context)
    const group = await getGroup(hub, name)
    const clusters = await listClusters(hub, name)
    const within = clusters.map((cluster) => cluster.name).join(', ')
    const contents = within === '' ? 'it is empty' : `with ${clusters.length} clusters: ${within}`
    await confirmByName(context, {
      name: group.name,
      warning: `This deletes resource group '${group.name}' (${contents})`,
    })
    await deleteGroup(hub, name)
    context.say(`deleted resource group '${group.name}'`)
    return 0
  },
}
