/**
 * Builds a small Go program of this repository into the user's cache, once for exactly these sources.
 * @module
 */
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { cachePath } from './cache-directory.ts'
import { withFileLock } from './file-lock.ts'
import { buildMs } from './limits.ts'
import { checkPrerequisites } from './prerequisites.ts'
import { runCommand } from './run-command.ts'

/** Builds the module in `source` (go.mod, go.sum, main.go) and resolves to the path of the program `name`. Needs Go. */
export async function provideGoProgram(
  name: string,
  source: string,
  options: { signal?: AbortSignal } = {},
): Promise<string> {
  const files = await Promise.all(
    ['go.mod', 'go.sum', 'main.go'].map((file) => readFile(join(source, file), 'utf8')),
  )
  const hash = createHash('sha256').update(files.join('\0')).digest('hex').slice(0, 16)
  const directory = cachePath(`${name}-${hash}`)
  const program = join(directory, name)
  const isThere = (): Promise<boolean> => stat(program).then(Boolean, () => false)
  if (await isThere()) return program
  await checkPrerequisites({ build: true })
  await mkdir(dirname(directory), { recursive: true })
  const lock = { timeoutMs: buildMs, signal: options.signal, onWait: () => undefined }
  return withFileLock(`${directory}.lock`, lock, async () => {
    if (await isThere()) return program
    const work = await mkdtemp(`${directory}.new-`)
    try {
      const flags = ['-mod=readonly', '-buildvcs=false', '-trimpath', '-ldflags', '-s -w']
      await runCommand(['go', 'build', ...flags, '-o', join(work, name), '.'], {
        cwd: source,
        env: { ...process.env, CGO_ENABLED: '0' },
        timeoutMs: buildMs,
        signal: options.signal,
      })
      await rename(work, directory)
    } finally {
      await rm(work, { recursive: true, force: true })
    }
    return program
  })
}
