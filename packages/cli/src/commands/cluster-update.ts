/**
 * `sallyport connectedk8s update`.
 * @module
 */
import { SallyportError } from '@sallyport/protocol'
import { patchCluster, resolveCluster } from '../hub/clusters.ts'
import { openHub } from '../hub/session.ts'
import { clusterColumns, clusterView, wantedCluster } from './cluster-view.ts'
import type { Command } from './command.ts'
import { groupOption, nameArgument, nameOption } from './options.ts'
import { parseTags, tagsOption } from './tags.ts'

/** Replaces the tags of a cluster. */
export const clusterUpdate: Command = {
  summary: 'change the tags of a connected cluster',
  arguments: [nameArgument],
  options: [nameOption, groupOption, tagsOption],
  examples: [
    {
      what: 'replace all tags',
      line: 'sallyport connectedk8s update -n prod-eu --tags owner=shop env=prod',
    },
  ],
  run: async (context) => {
    const wanted = wantedCluster(context)
    const tags = parseTags(context.flags.list('tags'))
    if (tags === undefined) {
      throw new SallyportError('ERR_USAGE', 'nothing is to be changed', {
        remedy: 'pass --tags KEY=VALUE …',
      })
    }
    await using hub = await openHub(context)
    const cluster = await patchCluster(hub, await resolveCluster(hub, wanted), { tags })
    await context.print(clusterView(cluster), clusterColumns)
    return 0
  },
}
