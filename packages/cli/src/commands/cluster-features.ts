/**
 * `sallyport connectedk8s enable-features`, `sallyport connectedk8s disable-features`.
 * @module
 */
import {
  SallyportError,
  clusterFeatures,
  featureSettings,
  isClusterFeature,
  type ClusterFeature,
} from '@sallyport/protocol'
import { patchCluster, resolveCluster } from '../hub/clusters.ts'
import { openHub } from '../hub/session.ts'
import { clusterColumns, clusterView, wantedCluster } from './cluster-view.ts'
import type { Command, CommandContext } from './command.ts'
import { groupOption, nameArgument, nameOption, yesOption } from './options.ts'

const options = [
  nameOption,
  groupOption,
  {
    long: 'features',
    value: 'FEATURE',
    variadic: true,
    summary: clusterFeatures.join(', '),
    complete: clusterFeatures,
  },
] as const

/** Switches features on. */
export const enableFeatures: Command = {
  summary: 'switch features of a cluster on',
  description: ["'custom-locations' needs 'cluster-connect', and switches it on as well."],
  arguments: [nameArgument],
  options,
  examples: [
    {
      what: 'let people in again',
      line: 'sallyport connectedk8s enable-features -n prod-eu -g stores --features cluster-connect',
    },
  ],
  run: (context) => {
    const wanted = wantedFeatures(context)
    const all: ClusterFeature[] = wanted.includes('custom-locations')
      ? [...wanted, 'cluster-connect']
      : wanted
    return change(context, new Map(all.map((feature) => [feature, true] as const)))
  },
}

/** Switches features off. */
export const disableFeatures: Command = {
  summary: 'switch features of a cluster off',
  description: ["Without 'cluster-connect' nobody gets in, and running sessions end."],
  arguments: [nameArgument],
  options: [...options, { ...yesOption, summary: 'as az has it; nothing is asked anyway' }],
  examples: [
    {
      what: 'keep everybody out',
      line: 'sallyport connectedk8s disable-features -n prod-eu -g stores --features cluster-connect',
    },
  ],
  run: (context) =>
    change(context, new Map(wantedFeatures(context).map((feature) => [feature, false] as const))),
}

async function change(
  context: CommandContext,
  changes: ReadonlyMap<ClusterFeature, boolean>,
): Promise<number> {
  const wanted = wantedCluster(context)
  await using hub = await openHub(context)
  const id = await resolveCluster(hub, wanted)
  const cluster = await patchCluster(hub, id, { properties: { ...featureSettings(changes) } })
  await context.print(clusterView(cluster), clusterColumns)
  return 0
}

function wantedFeatures({ flags }: CommandContext): ClusterFeature[] {
  const words = (flags.list('features') ?? []).flatMap((word) => word.split(',')).filter(Boolean)
  const odd = words.find((word) => !isClusterFeature(word))
  if (odd === undefined && words.length > 0) return words.filter(isClusterFeature)
  const what = odd === undefined ? '--features is required' : `there is no feature '${odd}'`
  throw new SallyportError('ERR_USAGE', what, { remedy: `name ${clusterFeatures.join(', ')}` })
}
