/**
 * `connect`: from a kubeconfig to a connected cluster, in steps that can be repeated after any of them failed or was interrupted.
 * @module
 */
import {
  SallyportError,
  featureSettings,
  formatClusterId,
  isSallyportError,
  type ClusterId,
  type ConnectedCluster,
  type Tags,
} from '@sallyport/protocol'
import { rememberKey } from '../credentials/known-clusters.ts'
import {
  checkedCluster,
  checkedGroup,
  findCluster,
  getGroup,
  isNotFound,
  patchCluster,
  putCluster,
  putGroup,
} from '../hub/clusters.ts'
import { defaultLocation } from '../hub/locations.ts'
import type { HubSession } from '../hub/session.ts'
import { checkCluster, type CheckedCluster } from '../kubeconfig/cluster-check.ts'
import { readKubeContext, type KubeContext } from '../kubeconfig/kube-context.ts'
import type { Steps } from '../output/steps.ts'
import { readAgentRecord, writeAgentRecord, type AgentRecord } from './agent-record.ts'
import { ensureAgent, forgetAgent } from './ensure-agent.ts'
import {
  agentKeySha256,
  createOnboardingKey,
  readAgentState,
  writeEnrolment,
} from './onboarding.ts'
import { waitUntilConnected } from './wait-connected.ts'

/** What is to be connected, and how. */
export interface ConnectPlan {
  name: string
  resourceGroup: string
  location: string | undefined
  tags: Tags | undefined
  /** Whether role assignments hold inside the cluster; undefined leaves it as it is, on for a new one. */
  rbacSync: boolean | undefined
  kubeconfigFiles: readonly string[]
  kubeContext: string | undefined
  stateDirectory: string
  logFile: string
  wait: boolean
  program: string
  env: NodeJS.ProcessEnv
  configDirectory: string
  /** Asks whether the agent elsewhere may be replaced; throws when not. */
  confirmTakeover: (cluster: ConnectedCluster) => Promise<void>
}

/** What came of it. */
export interface ConnectResult {
  cluster: ConnectedCluster
  /** Undefined with --no-wait. */
  agentKeySha256: string | undefined
}

/** Number of steps. */
export const connectSteps = (wait: boolean) => (wait ? 6 : 5)

/** Runs the steps. @throws SallyportError of the step that failed. */
export async function connectCluster(
  hub: HubSession,
  steps: Steps,
  plan: ConnectPlan,
): Promise<ConnectResult> {
  const { signal } = hub
  const id: ClusterId = {
    subscriptionId: hub.subscriptionId,
    resourceGroup: checkedGroup(plan.resourceGroup),
    name: checkedCluster(plan.name),
  }
  const target = await steps.run('checking cluster', async (note) => {
    const context = readKubeContext(plan.kubeconfigFiles, plan.kubeContext)
    const checked = await checkCluster(context, signal)
    note(`Kubernetes ${checked.version} at ${context.server.origin}`)
    return { context, checked }
  })
  const location = await steps.run(`checking resource group '${id.resourceGroup}'`, async (note) =>
    ensureGroup(hub, id, { wanted: plan.location, note }),
  )
  const found = await steps.run('checking for an agent', () => inspect(hub, id, { plan, target }))
  const draft: Draft = { hub, id, plan, target, location, found }
  await steps.run(`registering '${id.name}'`, async (note) => {
    note(found.isEnrolled ? 'registered before' : 'new onboarding key')
    if (found.isEnrolled) await switchFeatures(draft)
    else await register(draft)
  })
  await steps.run('starting the agent', async (note) => {
    note(await startAndRecord(draft))
  })
  return plan.wait
    ? finish(draft, steps)
    : { cluster: await reread(draft), agentKeySha256: undefined }
}

/** What the steps found out. */
interface Draft {
  hub: HubSession
  id: ClusterId
  plan: ConnectPlan
  target: { context: KubeContext; checked: CheckedCluster }
  location: string
  found: Inspection
  running?: RunningAgent
}

interface RunningAgent {
  record: AgentRecord
  isNew: boolean
  logOffset: number
}

interface Inspection {
  cluster: ConnectedCluster | undefined
  record: AgentRecord | undefined
  /** The agent of this machine is enrolled for exactly this cluster, and the hub has it. */
  isEnrolled: boolean
}

async function ensureGroup(
  hub: HubSession,
  id: ClusterId,
  options: { wanted: string | undefined; note: (text: string) => void },
): Promise<string> {
  try {
    const { location } = await getGroup(hub, id.resourceGroup)
    return options.wanted ?? location
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
  const location = options.wanted ?? (await defaultLocation(hub))
  await putGroup(hub, id.resourceGroup, { location })
  options.note('created')
  return location
}

async function inspect(
  hub: HubSession,
  id: ClusterId,
  parts: { plan: ConnectPlan; target: { checked: CheckedCluster } },
): Promise<Inspection> {
  const { plan, target } = parts
  const clusterId = formatClusterId(id)
  const record = await readAgentRecord(plan.configDirectory, clusterId)
  const cluster = await findCluster(hub, id)
  if (
    cluster !== undefined &&
    record !== undefined &&
    record.kubernetesUid !== target.checked.uid
  ) {
    throw new SallyportError(
      'ERR_CLUSTER_ALREADY_CONNECTED',
      `'${id.name}' in resource group '${id.resourceGroup}' is another Kubernetes cluster`,
      {
        why: `it was connected with ${record.kubeconfig}, context '${record.context}'`,
        remedy: `choose another name, or disconnect that one first: sallyport delete -n ${id.name} -g ${id.resourceGroup}`,
      },
    )
  }
  const state = readAgentState(plan.stateDirectory)
  const isOurs =
    state?.clusterId.toLowerCase() === clusterId.toLowerCase() && state.hub === hub.client.origin
  const isElsewhere = cluster?.properties.connectivityStatus === 'Connected' && !isOurs
  if (isElsewhere) await plan.confirmTakeover(cluster)
  return { cluster, record, isEnrolled: cluster !== undefined && isOurs }
}

/** A new onboarding key: first its public half to the hub, then its private half to the agent, so that no agent meets a key nobody knows. */
async function register(draft: Draft): Promise<void> {
  const { hub, id, plan, location, found } = draft
  const { publicKey, privateKey } = createOnboardingKey()
  const tags = plan.tags ?? found.cluster?.tags
  await putCluster(hub, id, {
    location: plan.location ?? found.cluster?.location ?? location,
    ...(tags === undefined ? {} : { tags }),
    identity: { type: 'SystemAssigned' },
    properties: { agentPublicKeyCertificate: publicKey, ...wantedFeatures(plan) },
  })
  const { ca, origin } = hub.profile
  writeEnrolment(plan.stateDirectory, {
    hub: origin,
    ...(ca === undefined ? {} : { ca }),
    clusterId: formatClusterId(id),
    onboardingKey: privateKey,
  })
}

function wantedFeatures({ rbacSync }: ConnectPlan): ReturnType<typeof featureSettings> {
  return featureSettings(new Map(rbacSync === undefined ? [] : [['azure-rbac', rbacSync]]))
}

/** On a cluster that is registered already. */
async function switchFeatures({ hub, id, plan }: Draft): Promise<void> {
  if (plan.rbacSync === undefined) return
  await patchCluster(hub, id, { properties: { ...wantedFeatures(plan) } })
}

async function startAndRecord(draft: Draft): Promise<string> {
  const { hub, id, plan, target, found } = draft
  const started = await ensureAgent({
    record: found.record,
    mustRestart: !found.isEnrolled,
    start: {
      program: plan.program,
      stateDirectory: plan.stateDirectory,
      kubeconfig: target.context.file,
      context: target.context.context,
      logFile: plan.logFile,
      env: plan.env,
    },
  })
  const { pid, started: startedAt } = started.identity
  const record: AgentRecord = {
    version: 1,
    clusterId: formatClusterId(id),
    hub: hub.client.origin,
    name: id.name,
    resourceGroup: id.resourceGroup,
    kubernetesUid: target.checked.uid,
    stateDirectory: plan.stateDirectory,
    logFile: plan.logFile,
    kubeconfig: target.context.file,
    context: target.context.context,
    pid,
    ...(startedAt === undefined ? {} : { started: startedAt }),
  }
  await writeAgentRecord(plan.configDirectory, record)
  draft.found = { ...found, record }
  draft.running = { record, isNew: started.isNew, logOffset: started.logOffset }
  return started.isNew ? `process ${pid}, log ${plan.logFile}` : `process ${pid} runs on`
}

async function finish(draft: Draft, steps: Steps): Promise<ConnectResult> {
  const { hub, id, plan } = draft
  const cluster = await steps.run('waiting until it is connected', async (note) => {
    try {
      const connected = await wait(draft, note)
      note('')
      return connected
    } catch (error) {
      if (!isSallyportError(error)) throw error
      if (error.code === 'ERR_CLUSTER_ALREADY_CONNECTED')
        await forgetAgent(plan.configDirectory, formatClusterId(id))
      if (error.code !== 'ERR_AGENT_UNKNOWN') throw error
      // The resource was deleted and made anew since this agent enrolled: enrol again, once.
      note('enrolling again')
      draft.found = { ...draft.found, isEnrolled: false }
      await register(draft)
      await startAndRecord(draft)
      const connected = await wait(draft, note)
      note('enrolled again')
      return connected
    }
  })
  const state = readAgentState(plan.stateDirectory)
  const key = state === undefined ? undefined : agentKeySha256(state)
  if (key !== undefined) {
    const identity = {
      configDirectory: plan.configDirectory,
      hubOrigin: hub.client.origin,
      clusterId: cluster.id,
    }
    await rememberKey(identity, key, hub.signal)
  }
  return { cluster, agentKeySha256: key }
}

function wait(draft: Draft, note: (text: string) => void): Promise<ConnectedCluster> {
  const { hub, id, found, running } = draft
  if (running === undefined) throw new TypeError('the agent is started before it is waited for')
  const { record, isNew, logOffset } = running
  const seenBefore = isNew ? found.cluster?.properties.lastConnectivityTime : undefined
  return waitUntilConnected({ hub, id, record, logOffset, seenBefore, note })
}

async function reread(draft: Draft): Promise<ConnectedCluster> {
  const found = await findCluster(draft.hub, draft.id)
  if (found !== undefined) return found
  throw new SallyportError('ERR_ARM_NOT_FOUND', `'${draft.id.name}' was deleted meanwhile`)
}
