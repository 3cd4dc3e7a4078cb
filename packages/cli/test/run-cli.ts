/**
 * Runs the CLI in this process with captured streams.
 * @module
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { onTestFinished } from 'vitest'
import { runCli } from '../src/main.ts'

/** What one run left. */
export interface CliResult {
  code: number
  stdout: string
  stderr: string
}

/** A directory of this test, removed at its end. */
export function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'sallyport-cli-test-'))
  onTestFinished(() => {
    rmSync(path, { recursive: true, force: true })
  })
  return path
}

/** Collects what is written. */
export function collector(isTTY = false): PassThrough & { text: () => string } {
  let text = ''
  const stream = new PassThrough()
  stream.on('data', (chunk: Buffer) => (text += chunk.toString()))
  return Object.assign(stream, { text: () => text, isTTY, columns: 80 })
}

/** Runs one line. `home` isolates configuration; `tty` makes stdout a terminal. */
export async function cli(
  argv: string[],
  options: {
    home?: string
    env?: NodeJS.ProcessEnv
    stdin?: string
    tty?: boolean
    signal?: AbortSignal
    openBrowser?: (address: string) => Promise<void>
  } = {},
): Promise<CliResult> {
  const home = options.home ?? temporaryDirectory()
  const stdout = collector(options.tty)
  const stderr = collector()
  const code = await runCli({
    argv,
    env: { HOME: home, PATH: process.env['PATH'], NO_COLOR: '1', ...options.env },
    stdin: Readable.from(options.stdin === undefined ? [] : [options.stdin]),
    stdout,
    stderr,
    signal: options.signal ?? new AbortController().signal,
    openBrowser: options.openBrowser,
  })
  return { code, stdout: stdout.text(), stderr: stderr.text() }
}

/** Runs one line as a process of its own; `shell` is what happens before, in the same process. */
export async function cliProcess(
  argv: string[],
  options: { home: string; shell?: string; started?: (child: ChildProcess) => void },
): Promise<CliResult & { signal: string | null }> {
  const program = join(import.meta.dirname, '../src/main.ts')
  const line = `${options.shell ?? ''} exec "$0" "$@"`
  const child = spawn('/bin/sh', ['-c', line, process.execPath, program, ...argv], {
    env: { HOME: options.home, PATH: process.env['PATH'], NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  options.started?.(child)
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  return { code: code ?? -1, signal, stdout, stderr }
}
