/**
 * Binaries out of a published archive (layout of Kubernetes' envtest archives) named with its checksum.
 * @module
 */
import { createHash } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { cachePath } from './cache-directory.ts'
import type { ClusterProgress } from './cluster.ts'
import { ClusterError } from './error.ts'
import { withFileLock } from './file-lock.ts'
import { downloadMs } from './limits.ts'
import { runCommand } from './run-command.ts'

/** An archive and the only content accepted under that name. */
export interface Archive {
  url: string
  sha256: string
}

/** Environment variable that names an archive: `<url>#sha256=<hex>`. */
const archiveVariable = 'SALLYPORT_CLUSTER_ARCHIVE'

/** Reads `SALLYPORT_CLUSTER_ARCHIVE`; undefined when it is not set, an error when it has no checksum. */
export function configuredArchive(value = process.env[archiveVariable]): Archive | undefined {
  if (value === undefined || value === '') return undefined
  const match = /^(https?:\/\/[^#\s]+)#sha256=([0-9a-f]{64})$/i.exec(value)
  if (match?.[1] === undefined || match[2] === undefined) {
    const text = `${archiveVariable} must read <url>#sha256=<64 hexadecimal digits>`
    throw new ClusterError('ERR_CLUSTER_USAGE', text)
  }
  return { url: match[1], sha256: match[2].toLowerCase() }
}

/** Where the programs of an archive are kept. */
export function archiveDirectory(archive: Archive): string {
  return cachePath('archives', archive.sha256.slice(0, 16))
}

async function download(archive: Archive, signal: AbortSignal | undefined): Promise<Buffer> {
  const deadline = AbortSignal.timeout(downloadMs)
  const signals = signal === undefined ? [deadline] : [deadline, signal]
  const response = await fetch(archive.url, { signal: AbortSignal.any(signals) })
  if (!response.ok) {
    const text = `${archive.url} answered ${response.status}`
    throw new ClusterError('ERR_CLUSTER_BINARIES', text)
  }
  const content = Buffer.from(await response.arrayBuffer())
  const found = createHash('sha256').update(content).digest('hex')
  if (found !== archive.sha256) {
    const text = `${archive.url} has checksum ${found}, not the pinned ${archive.sha256}: nothing was unpacked`
    throw new ClusterError('ERR_CLUSTER_BINARIES', text)
  }
  return content
}

async function collectPrograms(from: string, to: string): Promise<void> {
  for (const name of await readdir(from, { recursive: true })) {
    const path = join(from, name)
    if (!(await stat(path)).isFile()) continue
    await rename(path, join(to, basename(path)))
    await chmod(join(to, basename(path)), 0o755)
  }
}

/** Downloads, checks and unpacks an archive into the cache and resolves to the directory of its programs. */
export async function fetchArchive(
  archive: Archive,
  options: { signal?: AbortSignal; onProgress?: (progress: ClusterProgress) => void } = {},
): Promise<string> {
  const directory = archiveDirectory(archive)
  await mkdir(dirname(directory), { recursive: true })
  const lock = { timeoutMs: downloadMs, signal: options.signal }
  return withFileLock(`${directory}.lock`, lock, async () => {
    if (await stat(directory).then(Boolean, () => false)) return directory
    const step = 'binaries: download'
    options.onProgress?.({ step, state: 'start', detail: archive.url })
    const work = await mkdtemp(`${directory}.new-`)
    try {
      await writeFile(join(work, 'archive'), await download(archive, options.signal))
      await mkdir(join(work, 'unpacked'))
      await mkdir(join(work, 'bin'))
      const unpack = ['tar', '-xf', join(work, 'archive'), '-C', join(work, 'unpacked')]
      await runCommand([...unpack, '--no-same-owner'], { signal: options.signal })
      await collectPrograms(join(work, 'unpacked'), join(work, 'bin'))
      await rename(join(work, 'bin'), directory)
    } finally {
      await rm(work, { recursive: true, force: true })
    }
    options.onProgress?.({ step, state: 'done' })
    return directory
  })
}
