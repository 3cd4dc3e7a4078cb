/**
 * One run of `proxy`: check, listen, connect, prove it with a request, write the kubeconfig, wait, undo.
 * @module
 */
import { randomUUID } from 'node:crypto'
import { resolve } from 'node:path'
import { setDefaultHighWaterMark } from 'node:stream'
import { isSallyportError, limits, type ConnectedCluster } from '@sallyport/protocol'
import type { ClientSession } from '@sallyport/tunnel'
import type { CommandContext } from '../commands/command.ts'
import { Interruption, exitCodeOf } from '../commands/interrupt.ts'
import { resolveCluster } from '../hub/clusters.ts'
import { openHub, type HubSession } from '../hub/session.ts'
import { checkLease, takeLease, type LeaseOptions } from '../kubeconfig/lease.ts'
import { destinationFile, kubeconfigFiles } from '../kubeconfig/locate.ts'
import { proxyKubeconfig, type ProxyAccess } from '../kubeconfig/proxy-entry.ts'
import { write } from '../output/printer.ts'
import { createLocalCertificates, type LocalCertificates } from './certificates.ts'
import { runChild } from './child.ts'
import { createClusterSession } from './cluster-session.ts'
import { listenLocally, type LocalListener } from './local-listener.ts'
import { createNotices } from './notices.ts'
import { explainStart, refuseOffline } from './offline.ts'
import { probe, type ProbeAnswer } from './probe.ts'

/** What a proxy is asked to do. */
export interface ProxyPlan {
  name: string
  resourceGroup: string | undefined
  /** Name of the context. */
  context: string
  port: number
  /** False: another port will do when this one is taken. */
  isPortChosen: boolean
  token: string | undefined
  /** `-`: print. Undefined: where kubectl would write. */
  file: string | undefined
  overwrite: boolean
  setCurrent: boolean
  keep: boolean
  /** Program to run instead of waiting. */
  command: readonly string[]
}

/** Runs a proxy to its end. @returns the exit code. @throws SallyportError of the step that failed, with everything undone. */
export async function runProxy(context: CommandContext, plan: ProxyPlan): Promise<number> {
  await using undo = new AsyncDisposableStack()
  const lease = leaseOptions(context, plan)
  if (lease !== undefined) await checkLease(lease)
  const certificates = await createLocalCertificates()
  // At the default of 16 KiB every TLS record would stop and start the pipe; sockets take it when they are made.
  setDefaultHighWaterMark(false, limits.relaySpliceHighWaterMarkBytes)
  const listener = await bindPort(context, plan, certificates)
  undo.defer(() => listener.close())
  const hub = undo.use(await openHub(context))
  const session = await connect(context, plan, hub)
  undo.defer(() => session.close())
  listener.serve((signal) => session.openStream(signal))
  const answer = await prove(session, { port: listener.port, certificates, plan, context })
  const access: ProxyAccess = {
    context: plan.context,
    server: `https://127.0.0.1:${listener.port}`,
    ca: certificates.ca,
    clientCertificate: certificates.clientCertificate,
    clientKey: certificates.clientKey,
    ...(plan.token === undefined ? {} : { token: plan.token }),
    proxyId: proxyId(),
    pid: process.pid,
  }
  if (plan.command.length > 0) return await runCommand(context, plan, { access, session })
  if (lease === undefined) {
    await write(context.stdout, proxyKubeconfig(access))
    sayReady(context, plan, { listener, answer, where: 'the kubeconfig on stdout' })
  } else {
    const taken = await takeLease(lease, access)
    undo.defer(() => taken.release())
    sayReady(context, plan, { listener, answer, where: taken.file })
  }
  return await untilEnd(context, session)
}

/** Sorts by time, so that the youngest is taken back first. */
function proxyId(): string {
  return `${Date.now().toString(16).padStart(12, '0')}-${randomUUID()}`
}

/** How the kubeconfig is written; undefined when none is. */
function leaseOptions(context: CommandContext, plan: ProxyPlan): LeaseOptions | undefined {
  if (plan.file === '-' || plan.command.length > 0) return undefined
  const files =
    plan.file === undefined
      ? kubeconfigFiles(context.env, context.directories.home)
      : [resolve(plan.file)]
  const { overwrite, setCurrent, keep } = plan
  return {
    configDirectory: context.directories.config,
    files,
    file: destinationFile(files),
    context: plan.context,
    overwrite,
    setCurrent,
    keep,
    signal: context.signal,
  }
}

async function bindPort(
  context: CommandContext,
  plan: ProxyPlan,
  certificates: LocalCertificates,
): Promise<LocalListener> {
  // A command brings its own kubeconfig: nobody has to know the port.
  const port = plan.command.length > 0 && !plan.isPortChosen ? 0 : plan.port
  try {
    return await listenLocally(port, certificates)
  } catch (error) {
    if (plan.isPortChosen || !isSallyportError(error) || error.code !== 'ERR_PORT_IN_USE')
      throw error
    const listener = await listenLocally(0, certificates)
    context.say(`port ${port} is taken; using ${listener.port}`)
    return listener
  }
}

async function connect(
  context: CommandContext,
  plan: ProxyPlan,
  hub: HubSession,
): Promise<ClientSession> {
  const id = await resolveCluster(hub, plan)
  const cluster: ConnectedCluster | undefined = await refuseOffline(hub, id)
  const session = await createClusterSession({
    hub,
    dial: hub.dial,
    id: cluster === undefined ? id : { ...id, name: cluster.name },
    method: plan.token === undefined ? 'AAD' : 'Token',
    configDirectory: context.directories.config,
    onState: createNotices(plan.name, context.say),
  })
  try {
    await session.start(context.signal)
  } catch (error) {
    throw await explainStart(hub, error, cluster)
  }
  return session
}

/** The first request; when the session ends meanwhile, its error says more. */
async function prove(
  session: ClientSession,
  options: {
    port: number
    certificates: LocalCertificates
    plan: ProxyPlan
    context: CommandContext
  },
): Promise<ProbeAnswer> {
  const { port, certificates, plan, context } = options
  const ended = new AbortController()
  void session.closed.then(({ error }) => {
    ended.abort(error)
  })
  const signal = AbortSignal.any([context.signal, ended.signal])
  return probe({ port, certificates, token: plan.token, signal })
}

function sayReady(
  context: CommandContext,
  plan: ProxyPlan,
  facts: { listener: LocalListener; answer: ProbeAnswer; where: string },
): void {
  const version = facts.answer.kubernetesVersion
  const kubernetes = version === undefined ? '' : ` (Kubernetes ${version})`
  const current = plan.setCurrent && plan.file !== '-' ? ', now current' : ''
  context.say(
    `'${plan.name}'${kubernetes} is ready at https://127.0.0.1:${facts.listener.port}: context '${plan.context}'${current}, in ${facts.where}. Ctrl-C ends it.`,
  )
}

async function untilEnd(context: CommandContext, session: ClientSession): Promise<number> {
  const interrupted = new Promise<unknown>((resolve) => {
    const stop = (): void => {
      resolve(context.signal.reason)
    }
    if (context.signal.aborted) stop()
    else context.signal.addEventListener('abort', stop, { once: true })
  })
  const end = await Promise.race([session.closed, interrupted.then((reason) => ({ reason }))])
  if ('reason' in end) {
    return exitCodeOf(end.reason instanceof Interruption ? end.reason.signal : 'SIGINT')
  }
  if ('error' in end && end.error !== undefined) throw end.error
  return 0
}

async function runCommand(
  context: CommandContext,
  plan: ProxyPlan,
  parts: { access: ProxyAccess; session: ClientSession },
): Promise<number> {
  const { env, stdin, stdout, stderr, signal } = context
  return runChild({
    command: plan.command,
    kubeconfig: proxyKubeconfig(parts.access),
    env,
    stdio: { stdin, stdout, stderr },
    signal,
  })
}
