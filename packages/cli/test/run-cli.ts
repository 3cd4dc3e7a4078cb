/**
 * Runs the CLI in this process with captured streams.
 * @module
 */
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
  })
  return { code, stdout: stdout.text(), stderr: stderr.text() }
}
