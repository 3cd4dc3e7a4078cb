/**
 * Builds the multi-call binary of `../binaries` with Go into the user's cache.
 * @module
 */
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rename, rm, stat, symlink } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { cachePath } from './cache-directory.ts'
import type { ClusterProgress } from './cluster.ts'
import { ClusterError } from './error.ts'
import { withFileLock } from './file-lock.ts'
import { buildMs } from './limits.ts'
import { runCommand } from './run-command.ts'

const source = join(import.meta.dirname, '..', 'binaries')
const applets = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-proxy',
  'kube-scheduler',
  'kubectl',
  'kubelet',
]

/** Measured: 6.9 CPU minutes to compile everything, a fifth of it again for the part that does not run in parallel. */
const compileCpuSeconds = 415
const downloadSeconds = 40

interface BuildOptions {
  signal?: AbortSignal
  onProgress?: (progress: ClusterProgress) => void
}

async function readSource(): Promise<{ version: string; hash: string; moduleCount: number }> {
  const files = await Promise.all(
    ['go.mod', 'go.sum', 'main.go'].map((name) => readFile(join(source, name), 'utf8')),
  )
  const version = /k8s\.io\/kubernetes v([\d.]+)/.exec(files[0] ?? '')?.[1]
  if (version === undefined)
    throw new ClusterError('ERR_CLUSTER_BINARIES', `${source}/go.mod names no Kubernetes version`)
  const hash = createHash('sha256').update(files.join('\0')).digest('hex').slice(0, 16)
  return { version, hash, moduleCount: (files[0] ?? '').match(/^\t\S+ v\S+/gm)?.length ?? 1 }
}

/** Where the build of exactly these sources is kept, and the version it has. */
export async function builtDirectory(): Promise<{ directory: string; version: string }> {
  const { version, hash } = await readSource()
  return { directory: cachePath(`${version}-${hash}`), version }
}

const goEnvironment = (): NodeJS.ProcessEnv => ({ ...process.env, CGO_ENABLED: '0' })

/** Downloads the modules and resolves to the number of packages there are to compile. */
async function downloadModules(moduleCount: number, options: BuildOptions): Promise<number> {
  const step = 'binaries: modules'
  options.onProgress?.({ step, state: 'start', expectedSeconds: downloadSeconds })
  let count = 0
  const packages = await runCommand(['go', 'list', '-mod=readonly', '-deps', '.'], {
    cwd: source,
    env: goEnvironment(),
    timeoutMs: buildMs,
    signal: options.signal,
    onLine: (line) => {
      if (!line.startsWith('go: downloading')) return
      count += 1
      const fraction = Math.min(1, count / moduleCount)
      options.onProgress?.({ step, state: 'note', detail: `${count} modules`, fraction })
    },
  })
  options.onProgress?.({ step, state: 'done', detail: `${count} modules downloaded` })
  return packages.trim().split('\n').length
}

async function compile(
  output: string,
  plan: { version: string; packageCount: number },
  options: BuildOptions,
): Promise<void> {
  const step = 'binaries: compile'
  const expectedSeconds = Math.round((compileCpuSeconds * 1.2) / availableParallelism())
  options.onProgress?.({
    step,
    state: 'start',
    detail: `Kubernetes ${plan.version}`,
    expectedSeconds,
  })
  const [major, minor] = plan.version.split('.')
  const stamp = 'k8s.io/component-base/version'
  const flags = `-s -w -X ${stamp}.gitVersion=v${plan.version} -X ${stamp}.gitMajor=${major ?? ''} -X ${stamp}.gitMinor=${minor ?? ''}`
  const build = ['go', 'build', '-v', '-mod=readonly', '-buildvcs=false', '-trimpath']
  let count = 0
  await runCommand([...build, '-ldflags', flags, '-o', output, '.'], {
    cwd: source,
    env: goEnvironment(),
    timeoutMs: buildMs,
    signal: options.signal,
    onLine: () => {
      count += 1
      const fraction = Math.min(1, count / plan.packageCount)
      const detail = `${count} of ${plan.packageCount} packages`
      options.onProgress?.({ step, state: 'note', detail, fraction })
    },
  })
  options.onProgress?.({ step, state: 'done', detail: `${count} packages compiled` })
}

/** Builds all programs and resolves to their directory; of several callers at once one builds and the others wait. */
export async function buildBinaries(options: BuildOptions = {}): Promise<string> {
  const { version, moduleCount } = await readSource()
  const { directory } = await builtDirectory()
  await mkdir(dirname(directory), { recursive: true })
  const onWait = (): void => {
    const detail = 'another process builds them already'
    options.onProgress?.({ step: 'binaries: wait', state: 'note', detail })
  }
  const lock = { timeoutMs: buildMs, signal: options.signal, onWait }
  return withFileLock(`${directory}.lock`, lock, async () => {
    if (await stat(directory).then(Boolean, () => false)) return directory
    const packageCount = await downloadModules(moduleCount, options)
    const work = await mkdtemp(`${directory}.new-`)
    try {
      await compile(join(work, 'kubernetes'), { version, packageCount }, options)
      await Promise.all(applets.map((name) => symlink('kubernetes', join(work, name))))
      // Nobody ever sees half a directory under the final name.
      await rename(work, directory)
    } finally {
      await rm(work, { recursive: true, force: true })
    }
    return directory
  })
}
