/**
 * Connected clusters as they are printed: flattened as az does, with columns a person looks for.
 * @module
 */
import type { ConnectedCluster } from '@sallyport/protocol'
import { flattenResource } from '../output/flatten.ts'
import { column, type Column } from '../output/table.ts'
import { ago } from '../output/time.ts'
import type { JsonObject } from '../output/value.ts'
import type { CommandContext } from './command.ts'

/** A cluster as JSON to print. */
export const clusterView = (cluster: ConnectedCluster): JsonObject =>
  flattenResource({ ...cluster })

/** Columns of `list` and `show`. */
export const clusterColumns: Column[] = [
  column('NAME', 'name'),
  column('GROUP', 'resourceGroup'),
  column('STATUS', 'connectivityStatus'),
  column('KUBERNETES', 'kubernetesVersion'),
  column('NODES', 'totalNodeCount'),
  column('AGENT', 'agentVersion'),
  { header: 'SEEN', text: (row) => ago(row['lastConnectivityTime'], Date.now()) },
  column('LOCATION', 'location'),
]

/** Name and group of the cluster a line names. @throws SallyportError ERR_USAGE without a name. */
export function wantedCluster({ flags }: CommandContext): {
  name: string
  resourceGroup: string | undefined
} {
  return {
    name: flags.text('name') ?? flags.required('cluster', '-n NAME'),
    resourceGroup: flags.text('resource-group'),
  }
}
