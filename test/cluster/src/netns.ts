/**
 * Running commands in a network namespace.
 * @module
 */

/**
 * Words to put before a command. nsenter and not `ip netns exec`: the latter makes a mount namespace for each command,
 * and what the kubelet mounts in its own would be invisible to containerd.
 */
export function inNetns(netns: string | undefined): string[] {
  return netns === undefined ? [] : ['nsenter', `--net=/run/netns/${netns}`, '--']
}
