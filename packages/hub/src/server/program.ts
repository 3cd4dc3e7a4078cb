/**
 * The life of a server program: until a signal or the caller's abort; errors become one line and an exit code.
 * @module
 */
import type { Writable } from 'node:stream'
import { isSallyportError } from '@sallyport/protocol'

/** What a program gets from its caller. */
export interface ProgramOptions {
  /** Arguments after the command's own words. */
  argv: string[]
  env: NodeJS.ProcessEnv
  stdout: Writable
  stderr: Writable
  /** Aborted when the program shall stop. */
  signal: AbortSignal
}

/** Exit code after a second signal: stopped at once, nothing waited for. */
const exitAtOnce = 130

/** Resolves at SIGINT, SIGTERM or abort. A further signal ends the process at once; `dispose` takes the handlers away. */
export function stopRequest(signal: AbortSignal): {
  requested: Promise<void>
  dispose: () => void
} {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  let signals = 0
  const stop = (): void => {
    resolve(undefined)
  }
  const onSignal = (): void => {
    signals += 1
    if (signals > 1) process.exit(exitAtOnce)
    stop()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  if (signal.aborted) stop()
  else signal.addEventListener('abort', stop, { once: true })
  return {
    requested: promise,
    dispose: () => {
      process.off('SIGINT', onSignal)
      process.off('SIGTERM', onSignal)
      signal.removeEventListener('abort', stop)
    },
  }
}

/** Runs `program`; an error is written to stderr as what, why, what to do next, and becomes its exit code. */
export async function asExitCode(
  command: string,
  options: ProgramOptions,
  program: () => Promise<number>,
): Promise<number> {
  try {
    return await program()
  } catch (error) {
    if (!isSallyportError(error)) {
      const text = error instanceof Error ? (error.stack ?? error.message) : 'unknown error'
      options.stderr.write(`${command}: ${text}\n`)
      return 1
    }
    const why = error.why === undefined ? '' : `: ${error.why}`
    const separator = error.message.endsWith('\n') ? '' : `${why}; `
    options.stderr.write(
      `${command}: ${error.message}${separator}${error.remedy} [${error.code}]\n`,
    )
    return error.entry.exit
  }
}
