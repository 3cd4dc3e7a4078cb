/**
 * Running commands in a network namespace.
 * @module
 */

import { access } from 'node:fs/promises'
import { ClusterError } from './error.ts'
import { runCommand } from './run-command.ts'

/**
 * Words to put before a command. nsenter and not `ip netns exec`: the latter makes a mount namespace for each command,
 * and what the kubelet mounts in its own would be invisible to containerd.
 */
export function inNetns(netns: string | undefined): string[] {
  return netns === undefined ? [] : ['nsenter', `--net=/run/netns/${netns}`, '--']
}

/** Checks that a namespace of the caller's is there and raises its loopback device, which a new one has down. */
export async function prepareNetns(netns: string): Promise<void> {
  try {
    await access(`/run/netns/${netns}`)
  } catch (error) {
    const text = `there is no network namespace ${netns}\nmake it with\n  ip netns add ${netns}`
    throw new ClusterError('ERR_CLUSTER_USAGE', text, error)
  }
  await runCommand([...inNetns(netns), 'ip', 'link', 'set', 'lo', 'up'])
}
