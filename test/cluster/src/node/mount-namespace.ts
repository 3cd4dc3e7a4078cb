/**
 * One mount namespace for containerd, its shims and the kubelet: when the last of them ends, every mount they made is
 * gone with it, and the fixed paths their libraries write to are directories of the cluster's own.
 * @module
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'

/** Paths that are compiled into containerd, libcni and the kubelet, and where they are kept instead. */
const fixedPaths = {
  '/run/containerd': 'run-containerd',
  '/var/lib/cni': 'var-lib-cni',
  '/var/lib/kubelet': 'var-lib-kubelet',
  '/var/log/containers': 'var-log-containers',
}

/** Makes the directories both sides of the mounts need; those of the machine stay behind empty. */
export async function prepareMounts(directory: string): Promise<void> {
  for (const [path, name] of Object.entries(fixedPaths)) {
    await mkdir(path, { recursive: true })
    await mkdir(join(directory, name), { recursive: true, mode: 0o700 })
  }
}

/**
 * Words that make the namespace and run a command in it, in place of their own process. `slave`: mounts of the host
 * (a network namespace made later) come in, mounts of the pods do not go out.
 */
export function inNewMountNamespace(directory: string): string[] {
  const binds = Object.entries(fixedPaths).map(
    ([path, name]) => `mount --bind "$0/${name}" ${path}`,
  )
  const script = [...binds, 'exec "$@"'].join(' && ')
  return ['unshare', '--mount', '--propagation', 'slave', '--', 'sh', '-c', script, directory]
}

/** Words that enter the namespace of a running process. */
export function inMountNamespaceOf(pid: number): string[] {
  return ['nsenter', `--mount=/proc/${pid}/ns/mnt`, '--']
}
