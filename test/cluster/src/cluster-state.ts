/**
 * What a cluster has made on the machine, on disk, so that whoever comes later can remove it when its owner cannot.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cachePath } from './cache-directory.ts'
import { identify, type ProcessIdentity } from './process-identity.ts'

/** Network devices and namespace of a node. */
export interface NetworkState {
  netns: string
  /** Whether the namespace was made for this cluster; it is deleted then, with all in it. */
  ownsNetns: boolean
  /** Device in a namespace that is not ours. */
  device?: string
}

/** Everything there is to remove. */
export interface ClusterState {
  id: string
  owner: ProcessIdentity
  directory: string
  removeDirectory: boolean
  processes: Record<string, ProcessIdentity>
  network?: NetworkState
  /** Name of the cgroup below which all pods are, in every hierarchy. */
  cgroup?: string
}

const stateDirectory = (): string => cachePath('running')
const stateFile = (id: string): string => join(stateDirectory(), `${id}.json`)

/** State of a cluster that owns nothing yet; its id is unique on the machine. */
export function newState(directory: string, removeDirectory: boolean): ClusterState {
  const owner = identify(process.pid) ?? { pid: process.pid, startTime: '', bootId: '' }
  const id = randomBytes(4).toString('hex')
  return { id, owner, directory, removeDirectory, processes: {} }
}

/** Writes the state; call it before a thing is made, so that nothing exists that no state names. */
export async function saveState(state: ClusterState): Promise<void> {
  await mkdir(stateDirectory(), { recursive: true, mode: 0o700 })
  const temporary = `${stateFile(state.id)}.${randomBytes(4).toString('hex')}.new`
  await writeFile(temporary, JSON.stringify(state), { mode: 0o600 })
  await rename(temporary, stateFile(state.id))
}

/** Forgets a cluster of which nothing is left. */
export async function removeState(id: string): Promise<void> {
  await rm(stateFile(id), { force: true })
}

function parseState(text: string): ClusterState | undefined {
  try {
    const value: unknown = JSON.parse(text)
    const complete =
      typeof value === 'object' && value !== null && 'owner' in value && 'processes' in value
    // Only this module writes these files, into a directory of mode 0700.
    return complete ? (value as ClusterState) : undefined
  } catch {
    return undefined
  }
}

/** States of all clusters of this user, running or left behind. */
export async function readStates(): Promise<ClusterState[]> {
  const names = await readdir(stateDirectory()).catch(() => [])
  const states = await Promise.all(
    names
      .filter((name) => name.endsWith('.json'))
      .map(async (name) => {
        const text = await readFile(join(stateDirectory(), name), 'utf8').catch(() => '')
        return parseState(text)
      }),
  )
  return states.filter((state) => state !== undefined)
}
