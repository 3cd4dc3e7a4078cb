/**
 * Builds and runs the judge: Go's own HTTP server with the API server's own impersonation filter.
 * @module
 */
import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { access, mkdir, readFile, rename } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'

const source = join(import.meta.dirname, '..', 'server')
const buildMs = 1_200_000

/** A running judge. */
export interface Oracle {
  port: number
  stop: () => Promise<void>
}

function cacheDirectory(): string {
  const configured = process.env['XDG_CACHE_HOME'] ?? ''
  return join(
    configured.startsWith('/') ? configured : join(homedir(), '.cache'),
    'sallyport',
    'oracle',
  )
}

/** Path of the program; built with Go when exactly these sources have not been yet. */
async function build(): Promise<string> {
  const files = await Promise.all(
    ['go.mod', 'go.sum', 'main.go'].map((name) => readFile(join(source, name), 'utf8')),
  )
  const hash = createHash('sha256').update(files.join('\0')).digest('hex').slice(0, 16)
  const program = join(cacheDirectory(), hash)
  if (
    await access(program).then(
      () => true,
      () => false,
    )
  )
    return program
  await mkdir(dirname(program), { recursive: true })
  const made = `${program}.${process.pid}`
  await promisify(execFile)(
    'go',
    ['build', '-mod=readonly', '-buildvcs=false', '-trimpath', '-o', made, '.'],
    {
      cwd: source,
      env: { ...process.env, CGO_ENABLED: '0' },
      timeout: buildMs,
    },
  )
  await rename(made, program)
  return program
}

/** Starts it on a free port of 127.0.0.1; it ends with this process at the latest. */
export async function startOracle(): Promise<Oracle> {
  const child = spawn(await build(), { stdio: ['pipe', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })
  const [line] = (await Promise.race([
    once(lines, 'line'),
    exited.then(() => Promise.reject(new Error('the oracle ended before it had a port'))),
  ])) as [string]
  return {
    port: Number(line),
    stop: async () => {
      child.stdin.end()
      await exited
    },
  }
}
