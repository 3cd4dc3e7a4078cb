/**
 * What the parts of one start share: its state, its components, its directory, its deadline.
 * @module
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Binaries } from './binaries.ts'
import type { Authority } from './certificates.ts'
import type { ClusterProgress } from './cluster.ts'
import { saveState, type ClusterState } from './cluster-state.ts'
import { startComponent, type Component } from './component.ts'
import { inNetns } from './netns.ts'
import { runCommand } from './run-command.ts'

/** A start under way. */
export interface Launch {
  state: ClusterState
  directory: string
  binaries: Binaries
  authority: Authority
  /** Namespace everything runs in; undefined: the host's. */
  netns: string | undefined
  components: Map<string, Component>
  signal: AbortSignal | undefined
  report: (progress: ClusterProgress) => void
}

/** What to start under which name; `outside` words go before the namespace's. */
export interface StartRequest {
  name: string
  command: readonly string[]
  /** Words that enter namespaces; default: those of the launch's network namespace. */
  enter?: readonly string[]
}

/** Starts a component of this launch and writes it into the state. */
export async function startIn(launch: Launch, request: StartRequest): Promise<Component> {
  const logs = join(launch.directory, 'logs')
  await mkdir(logs, { recursive: true })
  const component = startComponent({
    name: request.name,
    command: [...(request.enter ?? inNetns(launch.netns)), ...request.command],
    logFile: join(logs, `${request.name}.log`),
    directory: launch.directory,
  })
  launch.components.set(request.name, component)
  launch.state.processes[request.name] = component.identity
  await saveState(launch.state)
  return component
}

/** Throws when any component of the launch has ended. */
export function checkComponents(launch: Launch): void {
  for (const component of launch.components.values()) component.check()
}

/** Runs the cluster's own kubectl as administrator, in the cluster's namespace. */
export function runKubectl(launch: Launch, parameters: readonly string[]): Promise<string> {
  const kubectl = [launch.binaries.path('kubectl'), '--kubeconfig', adminKubeconfig(launch)]
  const command = [...inNetns(launch.netns), ...kubectl, '--request-timeout=5s', ...parameters]
  return runCommand(command, { signal: launch.signal, env: { HOME: launch.directory } })
}

/** Path of the administrator's kubeconfig. */
export function adminKubeconfig(launch: Launch): string {
  return join(launch.directory, 'admin.kubeconfig')
}

/** Reports `start`, runs the work and reports `done`. */
export async function asStep<T>(
  launch: Launch,
  step: { step: string; expectedSeconds?: number },
  work: () => Promise<T>,
): Promise<T> {
  launch.report({ ...step, state: 'start' })
  const result = await work()
  launch.report({ step: step.step, state: 'done' })
  return result
}
