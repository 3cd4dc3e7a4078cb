/**
 * `sallyport connect`, `sallyport connectedk8s connect`.
 * @module
 */
import { join, resolve } from 'node:path'
import {
  SallyportError,
  clusterHash,
  formatClusterId,
  type ConnectedCluster,
} from '@sallyport/protocol'
import { connectCluster, connectSteps, type ConnectPlan } from '../agents/connect-cluster.ts'
import { openHub, type HubSession } from '../hub/session.ts'
import { kubeconfigFiles } from '../kubeconfig/locate.ts'
import { Steps } from '../output/steps.ts'
import { canAsk, confirm } from './ask.ts'
import { clusterColumns, clusterView } from './cluster-view.ts'
import type { Command, CommandContext } from './command.ts'
import { nameArgument, nameOption, yesOption } from './options.ts'
import { parseTags, tagsOption } from './tags.ts'

/** Connects a cluster by an agent process on this machine. */
export const clusterConnect: Command = {
  summary: 'connect a Kubernetes cluster to the hub',
  description: [
    'Starts an agent beside the cluster; it dials out to the hub and needs no inbound port.',
    'Can be repeated: what is done already is left alone.',
  ],
  arguments: [{ ...nameArgument, complete: [] }],
  options: [
    { ...nameOption, complete: [] },
    {
      long: 'resource-group',
      short: 'g',
      value: 'GROUP',
      summary: 'resource group; made when it is missing',
      complete: 'group',
    },
    {
      long: 'location',
      short: 'l',
      value: 'NAME',
      summary: 'location; default: that of the group',
    },
    tagsOption,
    {
      long: 'kube-config',
      value: 'FILE',
      summary: 'kubeconfig of the cluster; default: as kubectl',
      complete: 'file',
    },
    {
      long: 'kube-context',
      value: 'NAME',
      summary: 'context of the cluster; default: the current one',
    },
    { long: 'agent', value: 'KIND', summary: 'how the agent runs: process', complete: ['process'] },
    {
      long: 'state-directory',
      value: 'DIR',
      summary: 'where the agent keeps its keys',
      complete: 'file',
    },
    {
      long: 'enable-rbac-sync',
      aliases: ['enable-azure-rbac'],
      summary: 'role assignments of the hub hold inside the cluster; so on a new cluster',
    },
    {
      long: 'no-rbac-sync',
      negatable: true,
      summary: "only the cluster's own role bindings decide",
    },
    { long: 'no-wait', negatable: true, summary: 'do not wait until the cluster is connected' },
    yesOption,
  ],
  examples: [
    { what: 'the cluster of the current context', line: 'sallyport connect -n prod-eu -g stores' },
    {
      what: 'another one',
      line: 'sallyport connect -n prod-us -g stores --kube-config admin.conf --kube-context prod-us',
    },
  ],
  run: async (context) => {
    const { flags } = context
    const kind = flags.text('agent') ?? 'process'
    if (kind !== 'process') {
      throw new SallyportError('ERR_USAGE', `--agent '${kind}' is not possible`, {
        remedy: 'use --agent process',
      })
    }
    await using hub = await openHub(context)
    const plan = await createPlan(context, hub)
    const steps = new Steps({
      stderr: context.stderr,
      style: context.talk,
      total: connectSteps(plan.wait),
      quiet: context.quiet,
    })
    try {
      const { cluster, agentKeySha256 } = await connectCluster(hub, steps, plan)
      if (agentKeySha256 !== undefined) context.say(`agent key SHA256:${agentKeySha256}`)
      await context.print(clusterView(cluster), clusterColumns)
      return 0
    } catch (error) {
      if (!context.signal.aborted) throw error
      throw interrupted(plan, steps.number, error)
    }
  },
}

async function createPlan(context: CommandContext, hub: HubSession): Promise<ConnectPlan> {
  const { flags, env, directories } = context
  const name = flags.text('name') ?? flags.required('cluster', '-n NAME')
  const resourceGroup = flags.required('resource-group', '-g GROUP')
  const file = flags.text('kube-config')
  const id = formatClusterId({ subscriptionId: hub.subscriptionId, resourceGroup, name })
  const given = flags.text('state-directory')
  const stateDirectory =
    given === undefined
      ? join(directories.agents, (await clusterHash(id)).slice(0, 16))
      : resolve(given)
  return {
    name,
    resourceGroup,
    location: flags.text('location'),
    tags: parseTags(flags.list('tags')),
    rbacSync: wantedRbacSync(context),
    kubeconfigFiles: file === undefined ? kubeconfigFiles(env, directories.home) : [resolve(file)],
    kubeContext: flags.text('kube-context'),
    stateDirectory,
    logFile: join(stateDirectory, 'agent.log'),
    wait: flags.on('wait'),
    program: context.program,
    env,
    configDirectory: directories.config,
    confirmTakeover: (cluster) => confirmTakeover(context, cluster),
  }
}

function wantedRbacSync({ flags }: CommandContext): boolean | undefined {
  const isOn = flags.on('enable-rbac-sync')
  if (flags.on('rbac-sync')) return isOn ? true : undefined
  if (!isOn) return false
  throw new SallyportError('ERR_USAGE', '--enable-rbac-sync and --no-rbac-sync exclude each other')
}

async function confirmTakeover(context: CommandContext, cluster: ConnectedCluster): Promise<void> {
  if (context.flags.on('yes')) return
  const what = `'${cluster.name}' is connected by an agent elsewhere; connecting it here replaces that agent`
  if (!canAsk(context))
    throw new SallyportError('ERR_USAGE', what, { remedy: 'pass --yes, or choose another name' })
  context.stderr.write('\n')
  if (await confirm(context, `${what}. Go on?`)) return
  throw new SallyportError('ERR_CLUSTER_ALREADY_CONNECTED', `${what}; nothing was changed`)
}

/** What each step leaves when it has ended. */
const remains = [
  'nothing was changed',
  'nothing was changed',
  'the resource group is there',
  'the resource group is there; the cluster may be registered',
  'the cluster is registered; its agent may run',
  'the cluster is registered and its agent runs on',
]

function interrupted(plan: ConnectPlan, step: number, cause: unknown): SallyportError {
  const left = remains[step - 1] ?? 'nothing was changed'
  return new SallyportError(
    'ERR_INTERRUPTED',
    `interrupted in step ${step} of ${connectSteps(plan.wait)}`,
    {
      cause,
      why: left,
      remedy:
        step < 3
          ? 'run the command again'
          : `run the command again to go on, or undo it: sallyport delete -n ${plan.name} -g ${plan.resourceGroup}`,
    },
  )
}
