/**
 * Finds the Kubernetes binaries, or makes them: KUBEBUILDER_ASSETS, PATH, cache, published archive, `go build`.
 * @module
 */
import { access, constants } from 'node:fs/promises'
import { delimiter, isAbsolute, join } from 'node:path'
import type { ClusterProgress, ClusterSize } from './cluster.ts'
import { archiveDirectory, configuredArchive, fetchArchive } from './binaries-archive.ts'
import { buildBinaries, builtDirectory } from './binaries-build.ts'
import { binariesVersion } from './binaries-version.ts'
import { messageOf, throwIfAborted } from './error.ts'
import { checkPrerequisites } from './prerequisites.ts'

/** Where a set of binaries came from. */
export type BinariesOrigin = 'KUBEBUILDER_ASSETS' | 'PATH' | 'cache' | 'archive' | 'built'

/** A directory that holds every program a size needs. */
export interface Binaries {
  directory: string
  origin: BinariesOrigin
  /** Kubernetes version without the `v`. */
  version: string
  path(name: string): string
}

/** What the binaries are for. */
export interface BinariesRequest {
  size: ClusterSize
  /** Whether kube-controller-manager is wanted too; a node always has it. */
  controllerManager?: boolean
  signal?: AbortSignal
  onProgress?: (progress: ClusterProgress) => void
}

/** Names of the programs a size needs. */
export function neededBinaries(
  request: Pick<BinariesRequest, 'size' | 'controllerManager'>,
): string[] {
  const small = ['etcd', 'kube-apiserver', 'kubectl']
  if (request.size === 'node')
    return [...small, 'kube-controller-manager', 'kube-scheduler', 'kubelet', 'kube-proxy']
  return request.controllerManager === true ? [...small, 'kube-controller-manager'] : small
}

async function holdsAll(directory: string, names: readonly string[]): Promise<boolean> {
  try {
    await Promise.all(names.map((name) => access(join(directory, name), constants.X_OK)))
    return true
  } catch {
    return false
  }
}

interface Candidate {
  directory: string
  origin: BinariesOrigin
  /** Known of what was built here, which is therefore not asked. */
  version?: string
}

async function candidates(): Promise<Candidate[]> {
  const assets = process.env['KUBEBUILDER_ASSETS'] ?? ''
  const path = (process.env['PATH'] ?? '').split(delimiter).filter((part) => isAbsolute(part))
  const archive = configuredArchive()
  return [
    ...(assets === '' ? [] : [{ directory: assets, origin: 'KUBEBUILDER_ASSETS' as const }]),
    ...[...new Set(path)].map((directory) => ({ directory, origin: 'PATH' as const })),
    { ...(await builtDirectory()), origin: 'cache' },
    ...(archive === undefined
      ? []
      : [{ directory: archiveDirectory(archive), origin: 'cache' as const }]),
  ]
}

function binariesAt(candidate: Candidate, version: string): Binaries {
  const { directory, origin } = candidate
  return { directory, origin, version, path: (name) => join(directory, name) }
}

/** The first directory that holds all programs of one usable version; undefined when they have to be fetched or built. */
export async function findBinaries(request: BinariesRequest): Promise<Binaries | undefined> {
  const names = neededBinaries(request)
  for (const candidate of await candidates()) {
    if (!(await holdsAll(candidate.directory, names))) {
      if (candidate.origin === 'KUBEBUILDER_ASSETS')
        request.onProgress?.({
          step: 'binaries',
          state: 'note',
          detail: `KUBEBUILDER_ASSETS=${candidate.directory} lacks one of ${names.join(', ')}`,
        })
      continue
    }
    try {
      const { directory } = candidate
      const asked = candidate.version ?? (await binariesVersion(directory, names, request.signal))
      return binariesAt(candidate, asked)
    } catch (error) {
      throwIfAborted(request.signal)
      const detail = `${candidate.directory} is not usable: ${messageOf(error)}`
      request.onProgress?.({ step: 'binaries', state: 'note', detail })
    }
  }
  return undefined
}

async function makeBinaries(request: BinariesRequest): Promise<Binaries> {
  const archive = configuredArchive()
  if (archive !== undefined) {
    const directory = await fetchArchive(archive, request)
    const names = neededBinaries(request)
    if (await holdsAll(directory, names)) {
      const version = await binariesVersion(directory, names, request.signal)
      return binariesAt({ directory, origin: 'archive' }, version)
    }
    const detail = `the archive lacks one of ${names.join(', ')}`
    request.onProgress?.({ step: 'binaries', state: 'note', detail })
  }
  const directory = await buildBinaries(request)
  const version = await binariesVersion(directory, neededBinaries(request), request.signal)
  return binariesAt({ directory, origin: 'built' }, version)
}

/** Finds or makes the binaries of a size and reports which were chosen; building them takes minutes and needs Go. */
export async function provideBinaries(request: BinariesRequest): Promise<Binaries> {
  request.onProgress?.({ step: 'binaries', state: 'start' })
  let binaries = await findBinaries(request)
  if (binaries === undefined) {
    if (configuredArchive() === undefined) await checkPrerequisites({ build: true })
    binaries = await makeBinaries(request)
  }
  const detail = `Kubernetes ${binaries.version} from ${binaries.origin}: ${binaries.directory}`
  request.onProgress?.({ step: 'binaries', state: 'done', detail })
  return binaries
}
