/**
 * `sallyport delete`, `sallyport connectedk8s delete`.
 * @module
 */
import { resolve } from 'node:path'
import {
  SallyportError,
  clusterHash,
  formatClusterId,
  isSallyportError,
  rbacClusterMark,
  type ConnectedCluster,
} from '@sallyport/protocol'
import { forgetAgent } from '../agents/ensure-agent.ts'
import { readAgentRecord } from '../agents/agent-record.ts'
import { forgetKey } from '../credentials/known-clusters.ts'
import { deleteCluster, findCluster, resolveCluster } from '../hub/clusters.ts'
import { openHub } from '../hub/session.ts'
import { cleanUpDead, removeContext } from '../kubeconfig/lease.ts'
import { readKubeContext, type KubeContext } from '../kubeconfig/kube-context.ts'
import { kubeconfigFiles } from '../kubeconfig/locate.ts'
import { removalCommand, removeMaterialised } from '../kubeconfig/rbac-removal.ts'
import { confirmByName } from './ask.ts'
import { wantedCluster } from './cluster-view.ts'
import type { Command, CommandContext } from './command.ts'
import { groupOption, nameArgument, nameOption, yesOption } from './options.ts'

/** Disconnects a cluster: agent, state, resource, kubeconfig entries, known key. */
export const clusterDelete: Command = {
  summary: 'disconnect a cluster and delete its resource',
  description: [
    'Stops the agent that was started on this machine, and removes its keys and what it made in the cluster.',
    'An agent elsewhere removes that itself, within minutes. All else in the Kubernetes cluster is left alone.',
  ],
  arguments: [nameArgument],
  options: [
    nameOption,
    groupOption,
    {
      long: 'kube-config',
      value: 'FILE',
      summary: 'kubeconfig of the cluster; default: the one it was connected with',
      complete: 'file',
    },
    {
      long: 'kube-context',
      value: 'NAME',
      summary: 'context of the cluster; default: as --kube-config',
    },
    yesOption,
  ],
  examples: [{ what: 'without being asked', line: 'sallyport delete -n prod-eu -g stores --yes' }],
  run: async (context) => {
    const { directories, signal } = context
    const configDirectory = directories.config
    const wanted = wantedCluster(context)
    await using hub = await openHub(context)
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
    const kube = kubeOf(context, record)
    await confirmByName(context, {
      name: id.name,
      warning: `This disconnects '${id.name}' in resource group '${id.resourceGroup}' (${cluster?.properties.connectivityStatus ?? 'already deleted at the hub'})`,
    })
    if (await forgetAgent(configDirectory, clusterId))
      context.detail('stopped its agent and removed its keys')
    const mark = rbacClusterMark(await clusterHash(clusterId))
    await removeFromCluster(context, { mark, kube, cluster })
    await deleteCluster(hub, id)
    await forgetKey({ configDirectory, hubOrigin: hub.client.origin, clusterId }, signal)
    await cleanKubeconfigs(context, id.name)
    context.say(`deleted '${id.name}'`)
    return 0
  },
}

/** How to reach the cluster: where it was connected with, or what the options say instead. */
interface Kube {
  files: readonly string[]
  context: string | undefined
}

/** @throws SallyportError when the options name what cannot be read: then nothing has been deleted yet. */
function kubeOf(
  { flags, env, directories }: CommandContext,
  record: { kubeconfig: string; context: string } | undefined,
): Kube | undefined {
  const file = flags.text('kube-config')
  const name = flags.text('kube-context')
  if (file === undefined && name === undefined)
    return record === undefined
      ? undefined
      : { files: [record.kubeconfig], context: record.context }
  const files = file === undefined ? kubeconfigFiles(env, directories.home) : [resolve(file)]
  readKubeContext(files, name)
  return { files, context: name }
}

/** An API server that cannot be reached does not keep the cluster at the hub: what remains is said instead. */
async function removeFromCluster(
  context: CommandContext,
  parts: { mark: string; kube: Kube | undefined; cluster: ConnectedCluster | undefined },
): Promise<void> {
  const { mark, kube, cluster } = parts
  if (kube === undefined) {
    if (cluster?.properties.lastConnectivityTime === undefined) return
    context.say(
      `its agent does not run here: it removes within minutes what it made of role assignments; if it is gone: ${removalCommand(mark)}`,
    )
    return
  }
  let target: KubeContext | undefined
  try {
    target = readKubeContext(kube.files, kube.context)
    const count = await removeMaterialised(target, mark, context.signal)
    context.detail(`removed ${count} objects of role assignments from the cluster`)
  } catch (error) {
    if (context.signal.aborted || !isSallyportError(error)) throw error
    const at = target === undefined ? undefined : { file: target.file, context: target.context }
    const why = error.why === undefined ? error.message : `${error.message}: ${error.why}`
    context.warn(
      `what the agent made of role assignments may remain in the cluster (${why}); remove it: ${removalCommand(mark, at)}`,
    )
  }
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
