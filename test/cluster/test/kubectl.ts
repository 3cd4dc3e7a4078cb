/**
 * kubectl against a cluster under test.
 * @module
 */
import { spawnSync } from 'node:child_process'
import type { Cluster } from '../src/index.ts'

/** What a command said. */
export interface Answer {
  status: number | null
  stdout: string
  stderr: string
}

/** Runs the cluster's kubectl as its administrator; `netns` names the namespace to run it in. */
export function kubectl(
  cluster: Pick<Cluster, 'kubectl' | 'kubeconfig'>,
  parameters: readonly string[],
  options: { input?: string; netns?: string } = {},
): Answer {
  const enter = options.netns === undefined ? [] : [`--net=/run/netns/${options.netns}`, '--']
  const words = [cluster.kubectl, '--kubeconfig', cluster.kubeconfig, ...parameters]
  const command = options.netns === undefined ? words : ['nsenter', ...enter, ...words]
  return spawnSync(command[0]!, command.slice(1), {
    encoding: 'utf8',
    input: options.input ?? '',
    timeout: 60_000,
    env: { ...process.env, HOME: '/nonexistent' },
  })
}
