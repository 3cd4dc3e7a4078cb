/**
 * `sallyport delete`, `sallyport connectedk8s delete`.
 * @module
 */
import { formatClusterId } from '@sallyport/protocol'
import { forgetAgent } from '../agents/ensure-agent.ts'
import { readAgentRecord } from '../agents/agent-record.ts'
import { forgetKey } from '../credentials/known-clusters.ts'
import { deleteCluster, findCluster, resolveCluster } from '../hub/clusters.ts'
import { openHub } from '../hub/session.ts'
import { cleanUpDead, removeContext } from '../kubeconfig/lease.ts'
import { kubeconfigFiles } from '../kubeconfig/locate.ts'
import { SallyportError } from '@sallyport/protocol'
import { confirmByName } from './ask.ts'
import { wantedCluster } from './cluster-view.ts'
import type { Command, CommandContext } from './command.ts'
import { groupOption, nameArgument, nameOption, yesOption } from './options.ts'

/** Disconnects a cluster: agent, state, resource, kubeconfig entries, known key. */
export const clusterDelete: Command = {
  summary: 'disconnect a cluster and delete its resource',
  description: [
    'Stops the agent that was started on this machine and removes its keys. The Kubernetes cluster itself is left alone.',
  ],
  arguments: [nameArgument],
  options: [nameOption, groupOption, yesOption],
  examples: [{ what: 'without being asked', line: 'sallyport delete -n prod-eu -g stores --yes' }],
  run: async (context) => {
    const { directories, signal } = context
    const configDirectory = directories.config
    const wanted = wantedCluster(context)
    await using hub = openHub(context)
    const id = await resolveCluster(hub, wanted)
    const clusterId = formatClusterId(id)
    const cluster = await findCluster(hub, id)
    const record = await readAgentRecord(configDirectory, clusterId)
    if (cluster === undefined && record === undefined) {
      throw new SallyportError(
        'ERR_ARM_NOT_FOUND',
        `there is no cluster '${id.name}' in resource group '${id.resourceGroup}'`,
      )
    }
    await confirmByName(context, {
      name: id.name,
      warning: `This disconnects '${id.name}' in resource group '${id.resourceGroup}' (${cluster?.properties.connectivityStatus ?? 'already deleted at the hub'})`,
    })
    if (await forgetAgent(configDirectory, clusterId))
      context.detail('stopped its agent and removed its keys')
    await deleteCluster(hub, id)
    await forgetKey({ configDirectory, hubOrigin: hub.client.origin, clusterId }, signal)
    await cleanKubeconfigs(context, id.name)
    context.say(`deleted '${id.name}'`)
    return 0
  },
}

async function cleanKubeconfigs(context: CommandContext, name: string): Promise<void> {
  const { directories, signal, env } = context
  await cleanUpDead({ configDirectory: directories.config, signal })
  for (const file of kubeconfigFiles(env, directories.home)) {
    try {
      await removeContext({ configDirectory: directories.config, file, context: name, signal })
    } catch (error) {
      context.warn(
        `${file} was left as it is: ${error instanceof Error ? error.message : 'it cannot be changed'}`,
      )
    }
  }
}
