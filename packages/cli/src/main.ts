#!/usr/bin/env node
/**
 * The program `sallyport`: finds the command, or hands the line to hub, relay or agent. The only place that knows those.
 * @module
 */
import { mkdirSync, readFileSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Io } from './commands/command.ts'

/** Path of this program: how it starts itself again. */
const program = fileURLToPath(import.meta.url)

/**
 * Runs one line to its end; every output goes to the given streams.
 * @returns the exit code.
 */
export async function runCli(io: Io): Promise<number> {
  const [first, second] = io.argv
  // Alone it must answer faster than the modules of a command load.
  if (first === '--version' || first === '-v') {
    io.stdout.write(`sallyport ${ownVersion()}\n`)
    return 0
  }
  const rest = { ...io, argv: io.argv.slice(1) }
  if (first === 'hub') return (await import('@sallyport/hub/main')).runHub(rest)
  if (first === 'relay') return (await import('@sallyport/hub/main')).runRelay(rest)
  // `agent list` and `agent stop` are commands of this package; `agent --state-directory …` is the program.
  if (
    first === 'agent' &&
    second?.startsWith('-') === true &&
    second !== '--help' &&
    second !== '-h'
  ) {
    return (await import('@sallyport/agent/main')).runAgent(rest)
  }
  return (await import('./commands/run-command.ts')).runCommand(io, program)
}

/** One version for the whole workspace; a test compares it with the protocol's. */
function ownVersion(): string {
  const file = new URL('../package.json', import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

/** Compiled code of the next start; in a directory of this user only, because what lies there is run. */
function cacheCompiledCode(): void {
  const home = process.env['HOME'] ?? homedir()
  const directory = join(
    process.env['XDG_CACHE_HOME'] ?? join(home, '.cache'),
    'sallyport',
    'compiled',
  )
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    enableCompileCache(directory)
  } catch {
    // Only slower without.
  }
}

async function main(): Promise<void> {
  cacheCompiledCode()
  const { interruptible } = await import('./commands/interrupt.ts')
  const interrupt = interruptible()
  // A reader that went away (`| head`) ends the output, not the program with a stack trace.
  process.stdout.on('error', () => undefined)
  process.stderr.on('error', () => undefined)
  const { argv, env, stdin, stdout, stderr } = process
  const io = { argv: argv.slice(2), env, stdin, stdout, stderr, signal: interrupt.signal }
  const code = await runCli(io)
  interrupt.dispose()
  process.exitCode = code
  // What is still open (an idle connection, stdin) must not keep a finished command alive.
  await Promise.all([drained(stdout), drained(stderr)])
  process.exit(code)
}

function drained(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.writableLength === 0 || stream.destroyed) resolve()
    else
      stream.write('', () => {
        resolve()
      })
  })
}

if (import.meta.main) await main()
