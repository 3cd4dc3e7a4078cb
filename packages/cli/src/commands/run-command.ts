/**
 * From a line to an exit code: find, parse, run, tell what went wrong.
 * @module
 */
import { SallyportError, isSallyportError } from '@sallyport/protocol'
import { asSallyportError, errorJson, errorLines, errorTrace } from '../output/error-text.ts'
import { write } from '../output/printer.ts'
import { createStyle } from '../output/style.ts'
import { catalogue, programs } from './catalogue.ts'
import type { Io } from './command.ts'
import { findCommand, nearest, type Found, type GroupEntry } from './find-command.ts'
import { Interruption, exitCodeOf } from './interrupt.ts'

/** Runs one line of the CLI. Never rejects. @returns the exit code. */
export async function runCommand(io: Io, program: string): Promise<number> {
  try {
    refuseDisabledVerification(io.env)
    const found = findCommand(catalogue, io.argv)
    if (found.kind === 'command') return await runFound(io, found, program)
    if (found.kind === 'unknown') throw unknownCommand(found)
    return await showGroup(io, found)
  } catch (error) {
    return tellError(io, error)
  }
}

async function runFound(
  io: Io,
  found: Extract<Found, { kind: 'command' }>,
  program: string,
): Promise<number> {
  const command = await found.entry.load()
  // `__complete` receives the words of another line: nothing of them is for us.
  const isRaw = found.path[0] === '__complete'
  const ownWords = found.rest.slice(
    0,
    found.rest.includes('--') ? found.rest.indexOf('--') : undefined,
  )
  if (!isRaw && (ownWords.includes('--help') || ownWords.includes('-h'))) {
    const { commandHelp } = await import('./help-text.ts')
    await write(io.stdout, commandHelp(command, found.path))
    return 0
  }
  const { parseArguments } = await import('./parse.ts')
  const { createContext } = await import('./context.ts')
  const parsed = isRaw
    ? { ...parseArguments(command, found.path, []), rest: found.rest }
    : parseArguments(command, found.path, found.rest)
  return command.run(createContext(io, parsed, program))
}

async function showGroup(io: Io, found: Extract<Found, { kind: 'group' }>): Promise<number> {
  const { groupHelp } = await import('./help-text.ts')
  const wantsHelp = found.rest.includes('--help') || found.rest.includes('-h')
  const text = groupHelp(found.entry, found.path, programs)
  await write(wantsHelp ? io.stdout : io.stderr, text)
  return wantsHelp ? 0 : 2
}

function unknownCommand(found: {
  entry: GroupEntry
  path: string[]
  word: string
}): SallyportError {
  const names = Object.entries(found.entry.entries)
    .filter(([, entry]) => entry.hidden !== true)
    .map(([name]) => name)
  const known = found.path.length === 0 ? [...names, ...Object.keys(programs)] : names
  const near = nearest(found.word, known)
  const program = ['sallyport', ...found.path].join(' ')
  return new SallyportError('ERR_USAGE', `there is no command '${program} ${found.word}'`, {
    remedy:
      near === undefined
        ? `see ${program} --help`
        : `did you mean ${program} ${near}? see ${program} --help`,
  })
}

/** T-TLS-3: a process that asks for no verification must not run as if it had some. */
function refuseDisabledVerification(env: NodeJS.ProcessEnv): void {
  if (env['NODE_TLS_REJECT_UNAUTHORIZED'] === undefined) return
  throw new SallyportError(
    'ERR_CONFIG_INVALID',
    'NODE_TLS_REJECT_UNAUTHORIZED is set: certificates are always verified here',
    { remedy: 'unset NODE_TLS_REJECT_UNAUTHORIZED; give the CA of the hub with login --ca-file' },
  )
}

async function tellError(io: Io, thrown: unknown): Promise<number> {
  const reason: unknown = io.signal.reason
  const interruption =
    thrown instanceof Interruption ? thrown : io.signal.aborted ? reason : undefined
  const isOurs = isSallyportError(thrown) && thrown.code === 'ERR_INTERRUPTED'
  const error =
    interruption !== undefined && !isOurs && isAbort(thrown, reason)
      ? new SallyportError('ERR_INTERRUPTED', 'interrupted', { cause: thrown })
      : asSallyportError(thrown)
  const style = createStyle(io.stderr, io.env, { colour: !io.argv.includes('--no-color') })
  if (io.argv.includes('--debug')) await write(io.stderr, `${errorTrace(thrown)}\n`)
  await write(io.stderr, wantsJson(io.argv) ? errorJson(error) : errorLines(error, style))
  if (error.code === 'ERR_INTERRUPTED' && interruption instanceof Interruption) {
    return exitCodeOf(interruption.signal)
  }
  return error.entry.exit
}

/** Whether an error is only the echo of the abort. */
function isAbort(thrown: unknown, reason: unknown): boolean {
  return (
    thrown === reason ||
    (thrown instanceof Error && (thrown.name === 'AbortError' || thrown.cause === reason))
  )
}

/** Read from the words themselves: the line may be one that cannot be parsed. */
function wantsJson(argv: readonly string[]): boolean {
  const line = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv
  return line.some((word, index) => {
    if (word === '-o' || word === '--output') return line[index + 1] === 'json'
    return word === '-ojson' || word === '--output=json'
  })
}
