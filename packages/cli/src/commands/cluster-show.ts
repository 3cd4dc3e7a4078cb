/**
 * `sallyport show`, `sallyport connectedk8s show`.
 * @module
 */
import { getCluster, resolveCluster } from '../hub/clusters.ts'
import { openHub } from '../hub/session.ts'
import { clusterColumns, clusterView, wantedCluster } from './cluster-view.ts'
import type { Command } from './command.ts'
import { groupOption, nameArgument, nameOption } from './options.ts'

/** Shows one connected cluster. */
export const clusterShow: Command = {
  summary: 'show one connected cluster',
  arguments: [nameArgument],
  options: [nameOption, groupOption],
  examples: [
    { what: 'everything the hub knows', line: 'sallyport show prod-eu -o yaml' },
    {
      what: 'its id, for role assignments',
      line: 'ARM_ID_CLUSTER=$(sallyport connectedk8s show -n $CLUSTER_NAME -g $RESOURCE_GROUP --query id -o tsv)',
    },
  ],
  run: async (context) => {
    const wanted = wantedCluster(context)
    await using hub = await openHub(context)
    const cluster = await getCluster(hub, await resolveCluster(hub, wanted))
    await context.print(clusterView(cluster), clusterColumns)
    return 0
  },
}
