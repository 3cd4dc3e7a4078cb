/**
 * `sallyport list`, `sallyport connectedk8s list`.
 * @module
 */
import { listClusters } from '../hub/clusters.ts'
import { openHub } from '../hub/session.ts'
import { clusterColumns, clusterView } from './cluster-view.ts'
import type { Command } from './command.ts'

/** Lists connected clusters. */
export const clusterList: Command = {
  summary: 'list connected clusters',
  options: [
    {
      long: 'resource-group',
      short: 'g',
      value: 'GROUP',
      summary: 'only those of this resource group',
      complete: 'group',
    },
  ],
  examples: [
    { what: 'all', line: 'sallyport list' },
    {
      what: 'names of those that are offline',
      line: `sallyport list --query "[?connectivityStatus=='Offline'].name" -o tsv`,
    },
  ],
  run: async (context) => {
    await using hub = await openHub(context)
    const clusters = await listClusters(hub, context.flags.text('resource-group'))
    await context.print(clusters.map(clusterView), clusterColumns)
    return 0
  },
}
