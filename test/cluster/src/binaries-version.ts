/**
 * Asks binaries what they are: a name on the PATH may be a wrapper that does something else.
 * @module
 */
import { join } from 'node:path'
import { ClusterError } from './error.ts'
import { runCommand } from './run-command.ts'

/** Oldest Kubernetes minor version the flags and configuration files of this workspace are right for. */
const oldestMinor = 31

async function versionOf(
  directory: string,
  name: string,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const question = name === 'kubectl' ? ['version', '--client'] : ['--version']
  const answer = await runCommand([join(directory, name), ...question], { signal })
  const pattern =
    name === 'etcd' ? /^etcd Version: ([\w.-]+)/m : /^(?:Kubernetes|Client Version:) v([\w.+-]+)/m
  return pattern.exec(answer)?.[1]
}

const minorOf = (version: string): number => Number(version.split('.')[1])

/** Version (without `v`) of the API server in `directory`, after every program has run and said the same minor version. */
export async function binariesVersion(
  directory: string,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<string> {
  const entries = await Promise.all(
    names.map(async (name) => ({ name, version: await versionOf(directory, name, signal) })),
  )
  const silent = entries.find((entry) => entry.version === undefined)
  if (silent !== undefined) {
    const text = `${join(directory, silent.name)} does not tell its version as ${silent.name} does`
    throw new ClusterError('ERR_CLUSTER_BINARIES', text)
  }
  const version = entries.find((entry) => entry.name === 'kube-apiserver')?.version ?? ''
  const other = entries.find(
    (entry) => entry.name !== 'etcd' && minorOf(entry.version ?? '') !== minorOf(version),
  )
  if (other !== undefined) {
    const text = `${other.name} is ${other.version ?? ''} but kube-apiserver is ${version}`
    throw new ClusterError('ERR_CLUSTER_BINARIES', text)
  }
  if (minorOf(version) < oldestMinor) {
    const text = `Kubernetes ${version} is older than 1.${oldestMinor}`
    throw new ClusterError('ERR_CLUSTER_BINARIES', text)
  }
  return version
}
