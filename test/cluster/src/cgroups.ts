/**
 * The cgroup below which all pods of a cluster live, in every hierarchy the machine has mounted (v1, hybrid or v2).
 * @module
 */
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

interface Hierarchy {
  mountPoint: string
  version: 1 | 2
}

async function hierarchies(): Promise<Hierarchy[]> {
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).trim().split('\n')
  return lines.flatMap((line): Hierarchy[] => {
    // proc(5): fixed fields, optional ones, " - ", file system type.
    const [fixed = '', variable = ''] = line.split(' - ')
    const type = variable.split(' ')[0]
    const mountPoint = fixed.split(' ')[4] ?? ''
    if (type === 'cgroup2') return [{ mountPoint, version: 2 }]
    return type === 'cgroup' ? [{ mountPoint, version: 1 }] : []
  })
}

async function enableControllers(mountPoint: string): Promise<void> {
  const available = await readFile(join(mountPoint, 'cgroup.controllers'), 'utf8').catch(() => '')
  for (const controller of available.trim().split(/\s+/).filter(Boolean))
    // One at a time: a controller that cannot be enabled must not keep the others away.
    await writeFile(join(mountPoint, 'cgroup.subtree_control'), `+${controller}`).catch(() => {})
}

/** Makes the cgroup everywhere; the kubelet refuses a `cgroupRoot` that does not exist. */
export async function createCgroup(name: string): Promise<void> {
  for (const { mountPoint, version } of await hierarchies()) {
    if (version === 2) await enableControllers(mountPoint)
    await mkdir(join(mountPoint, name), { recursive: true })
    if (version === 2) await enableControllers(join(mountPoint, name))
  }
}

async function childrenFirst(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => [])
  const below = await Promise.all(
    entries
      .filter((entry) => entry.isDirectory())
      .map((entry) => childrenFirst(join(directory, entry.name))),
  )
  return [...below.flat(), directory]
}

async function directoriesOf(name: string): Promise<string[]> {
  const roots = (await hierarchies()).map(({ mountPoint }) => join(mountPoint, name))
  return (await Promise.all(roots.map(childrenFirst))).flat()
}

/** Numbers of all processes in the cgroup and below it. */
export async function cgroupProcesses(name: string): Promise<number[]> {
  const lists = await Promise.all(
    (await directoriesOf(name)).map((directory) =>
      readFile(join(directory, 'cgroup.procs'), 'utf8').catch(() => ''),
    ),
  )
  return [...new Set(lists.flatMap((list) => list.split('\n').filter(Boolean).map(Number)))]
}

/** Removes the cgroup; true when nothing of it is left. */
export async function removeCgroup(name: string): Promise<boolean> {
  let isGone = true
  for (const directory of await directoriesOf(name))
    isGone = (await rmdir(directory).then(() => true, isMissing)) && isGone
  return isGone
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
