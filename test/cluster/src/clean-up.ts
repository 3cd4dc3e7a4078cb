/**
 * Removes a cluster from the machine by what its state names: the one path for stop, failed start, and dead owners.
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { cgroupProcesses, removeCgroup } from './cgroups.ts'
import { removeState, type ClusterState, type NetworkState } from './cluster-state.ts'
import { killMs } from './limits.ts'
import { inNetns } from './netns.ts'
import { identify, isAlive, killProcess, type ProcessIdentity } from './process-identity.ts'
import { runCommand } from './run-command.ts'
import { waitUntil } from './wait-until.ts'

/** Processes of containerd that watch one pod each; they outlive containerd and are told by their socket's path. */
function findShims(directory: string): ProcessIdentity[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.flatMap((pid) => {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
      const isShim = words[0]?.includes('containerd-shim') === true
      if (!isShim || !words.some((word) => word.startsWith(`${directory}/`))) return []
      return identify(Number(pid)) ?? []
    } catch {
      return []
    }
  })
}

async function podProcesses(state: ClusterState): Promise<ProcessIdentity[]> {
  if (state.cgroup === undefined) return []
  const pids = await cgroupProcesses(state.cgroup)
  return [...pids.flatMap((pid) => identify(pid) ?? []), ...findShims(state.directory)]
}

/**
 * SIGKILL for all: the data are thrown away, and a mount namespace of its own takes every mount with it when its last
 * process ends, so that no program has to be given time to tidy up. kubelet and containerd go first, or they would
 * start again what is killed behind them.
 */
async function killAll(state: ClusterState): Promise<void> {
  const known = Object.values(state.processes)
  for (const identity of known) killProcess(identity)
  await waitUntil(
    async () => {
      const rest = [...known.filter(isAlive), ...(await podProcesses(state))]
      for (const identity of rest) killProcess(identity)
      return rest.length === 0
    },
    { what: 'the end of all processes of the cluster', timeoutMs: killMs },
  )
}

async function ignoreFailure(command: readonly string[]): Promise<void> {
  // What is to be removed may be gone or may never have been made.
  await runCommand(command).catch(() => '')
}

/** What kube-proxy made; its own --cleanup leaves a chain behind that it takes for the kubelet's. */
const removeRules = ['iptables', 'ip6tables']
  .map((name) => `${name}-save | grep -v KUBE- | ${name}-restore`)
  .join('; ')

async function removeNetwork(network: NetworkState): Promise<void> {
  if (network.ownsNetns) {
    await ignoreFailure(['ip', 'netns', 'delete', network.netns])
    if (network.device !== undefined) await ignoreFailure(['ip', 'link', 'delete', network.device])
    return
  }
  const inside = inNetns(network.netns)
  await ignoreFailure([...inside, 'sh', '-c', removeRules])
  if (network.device !== undefined)
    await ignoreFailure([...inside, 'ip', 'link', 'delete', network.device])
}

/** Ends and removes everything a state names, and the state itself; nothing there to remove is no error. */
export async function cleanUp(state: ClusterState): Promise<void> {
  await killAll(state)
  if (state.network !== undefined) await removeNetwork(state.network)
  const { cgroup } = state
  if (cgroup !== undefined)
    // The kernel empties a cgroup a moment after its last process has ended.
    await waitUntil(() => removeCgroup(cgroup), {
      what: 'the end of its cgroup',
      timeoutMs: killMs,
    })
  const options = { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }
  if (state.removeDirectory) await rm(state.directory, options)
  // Sockets, containers' file systems and the data of etcd are of no use without their programs.
  else for (const name of ['etcd', 'node']) await rm(join(state.directory, name), options)
  await removeState(state.id)
}
