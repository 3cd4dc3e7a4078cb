/**
 * Brings a cluster up, and takes it down again when any part of that fails.
 * @module
 */
import { mkdir, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { findBinaries, provideBinaries } from './binaries.ts'
import { configuredArchive } from './binaries-archive.ts'
import { createAuthority } from './certificates.ts'
import { cleanUp } from './clean-up.ts'
import type { Cluster, ClusterOptions } from './cluster.ts'
import { newState, saveState } from './cluster-state.ts'
import type { Component } from './component.ts'
import { startControlPlane } from './control-plane.ts'
import { ClusterError, messageOf } from './error.ts'
import { keepFailureLogs } from './failure-log.ts'
import { adminKubeconfig, asStep, type Launch } from './launch.ts'
import { nodeDirectoryCharacters } from './limits.ts'
import { prepareNetns } from './netns.ts'
import { createNodeNetwork, type NodeNetwork } from './node/network.ts'
import { busyboxImage } from './node/image.ts'
import { startNode } from './node/start-node.ts'
import { checkPrerequisites } from './prerequisites.ts'
import { sweepClusters } from './sweep.ts'
import { startWatchdog } from './watchdog.ts'

async function makeDirectory(options: ClusterOptions): Promise<string> {
  if (options.directory === undefined) return mkdtemp(join(tmpdir(), 'sallyport-cluster-'))
  const directory = resolve(options.directory)
  if (options.size === 'node' && directory.length > nodeDirectoryCharacters) {
    const text = `${directory} is longer than ${nodeDirectoryCharacters} characters: sockets below it would not fit`
    throw new ClusterError('ERR_CLUSTER_USAGE', text)
  }
  await mkdir(directory, { recursive: true, mode: 0o700 })
  return directory
}

async function prepare(options: ClusterOptions): Promise<Launch> {
  const report = options.onProgress ?? ((): void => undefined)
  const found = await findBinaries(options)
  await checkPrerequisites({
    size: options.size,
    netns: options.netns !== undefined,
    build: found === undefined && configuredArchive() === undefined,
  })
  if (options.netns !== undefined) await prepareNetns(options.netns)
  const swept = await sweepClusters()
  for (const id of swept.removed)
    report({ step: 'sweep', state: 'note', detail: `removed cluster ${id} of a dead owner` })
  const binaries = found ?? (await provideBinaries(options))
  if (found !== undefined) {
    const detail = `Kubernetes ${found.version} from ${found.origin}: ${found.directory}`
    report({ step: 'binaries', state: 'done', detail })
  }
  const directory = await makeDirectory(options)
  const state = newState(directory, options.directory === undefined)
  await saveState(state)
  const components = new Map<string, Component>()
  const common = { state, directory, binaries, netns: options.netns, components, report }
  try {
    const authority = await createAuthority(join(directory, 'pki'))
    return { ...common, authority, signal: options.signal }
  } catch (error) {
    await cleanUp(state)
    throw error
  }
}

async function launchAll(
  launch: Launch,
  options: ClusterOptions,
): Promise<{ server: string; auditLog: string }> {
  const isNode = options.size === 'node'
  let network: NodeNetwork | undefined
  if (isNode) {
    network = await asStep(launch, { step: 'network' }, () => createNodeNetwork(launch))
    launch.netns = network.netns
  }
  const addresses = [options.address, network?.nodeIp].filter((address) => address !== undefined)
  const plane = await asStep(launch, { step: 'control plane', expectedSeconds: 5 }, () =>
    startControlPlane(launch, {
      controllerManager: options.controllerManager ?? isNode,
      scheduler: isNode,
      host: network?.host ?? '127.0.0.1',
      addresses,
      ...(network === undefined ? {} : { advertise: network.nodeIp }),
      ...(options.apiServerPort === undefined ? {} : { apiServerPort: options.apiServerPort }),
      ...(options.serviceAccountIssuer === undefined
        ? {}
        : { serviceAccountIssuer: options.serviceAccountIssuer }),
    }),
  )
  if (network !== undefined) await startNode(launch, plane, network)
  return plane
}

/** Starts a cluster and resolves when it is ready; a start that fails or is cancelled leaves nothing behind. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const launch = await prepare(options)
  const watchdog = startWatchdog()
  let stopping: Promise<void> | undefined
  const stop = (): Promise<void> => {
    stopping ??= cleanUp(launch.state).finally(() => {
      watchdog.dismiss()
    })
    return stopping
  }
  try {
    const { server, auditLog } = await launchAll(launch, options)
    const { directory, binaries, components } = launch
    return {
      size: options.size,
      directory,
      version: binaries.version,
      kubeconfig: adminKubeconfig(launch),
      server,
      caFile: launch.authority.certificate,
      auditLog,
      kubectl: binaries.path('kubectl'),
      ...(options.size === 'node' ? { image: busyboxImage } : {}),
      pids: () =>
        Object.fromEntries(
          [...components.values()]
            .filter((component) => component.isAlive())
            .map((component) => [component.name, component.identity.pid]),
        ),
      stop,
    }
  } catch (error) {
    const reported = await keepFailureLogs(launch.state, error)
    await stop().catch((failure: unknown) => {
      const detail = `${messageOf(failure)}; the next start tries again`
      launch.report({ step: 'clean-up', state: 'note', detail })
    })
    throw reported
  }
}
