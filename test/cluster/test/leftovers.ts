/**
 * What a cluster may have left on the machine, looked for by its directory and id.
 * @module
 */
import { readdirSync, readFileSync, existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { vi } from 'vitest'
import { readStates, type ClusterState } from '../src/cluster-state.ts'

function processesNaming(text: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
        return words.includes(text) ? [`process ${pid}: ${words.slice(0, 120)}`] : []
      } catch {
        return []
      }
    })
}

function cgroupsNamed(name: string): string[] {
  const root = '/sys/fs/cgroup'
  const entries = readdirSync(root, { withFileTypes: true })
  const places = [root, ...entries.filter((e) => e.isDirectory()).map((e) => join(root, e.name))]
  return places.map((place) => join(place, name)).filter((path) => existsSync(path))
}

/** State of the cluster kept in `directory`, to be read while it runs. */
export async function stateOf(directory: string): Promise<ClusterState> {
  const state = (await readStates()).find((entry) => entry.directory === directory)
  if (state === undefined) throw new Error(`no state names ${directory}`)
  return state
}

/** One line for each thing of a cluster that is still there. */
export async function leftoversOf(state: ClusterState): Promise<string[]> {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n')
  const netns = state.network?.ownsNetns === true ? state.network.netns : undefined
  const states = await readStates()
  return [
    ...processesNaming(state.directory),
    ...mounts.filter((line) => line.includes(state.directory)).map((line) => `mount ${line}`),
    ...cgroupsNamed(`sallyport-${state.id}`).map((path) => `cgroup ${path}`),
    ...(netns !== undefined && existsSync(`/run/netns/${netns}`) ? [`namespace ${netns}`] : []),
    ...(existsSync(state.directory) ? [`directory ${state.directory}`] : []),
    ...states.filter((entry) => entry.id === state.id).map((entry) => `state ${entry.id}`),
  ]
}

/** Makes a new directory the place for temporary files and lists later what a failed start left in it or running from it. */
export async function watchTemporary(): Promise<{
  leftovers(): string[]
  remove(): Promise<void>
}> {
  const directory = await mkdtemp(join(tmpdir(), 'watched-'))
  vi.stubEnv('TMPDIR', directory)
  return {
    leftovers: () => [...readdirSync(directory), ...processesNaming(directory)],
    remove: async () => {
      vi.unstubAllEnvs()
      await rm(directory, { recursive: true })
    },
  }
}
