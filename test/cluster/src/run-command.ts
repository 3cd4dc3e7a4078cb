/**
 * Runs one command to its end, with a deadline.
 * @module
 */
import { spawn } from 'node:child_process'
import { basename } from 'node:path'
import { commandMs, outputCharacters, quotedLines } from './limits.ts'
import { ClusterError, throwIfAborted } from './error.ts'
import { programPath } from './program-path.ts'

/** How to run a command. */
export interface CommandOptions {
  signal?: AbortSignal | undefined
  timeoutMs?: number
  cwd?: string
  env?: NodeJS.ProcessEnv
  /** Called for each line of standard error as it comes. */
  onLine?: (line: string) => void
}

/** The last lines of a text, indented for use in an error message. */
export function lastLines(text: string, count: number = quotedLines): string {
  const lines = text.trimEnd().split('\n').slice(-count)
  return lines.map((line) => `    ${line.slice(0, 400)}`).join('\n')
}

/** Runs a command and resolves to its standard output; a failure quotes the end of what it said. */
export async function runCommand(
  command: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  throwIfAborted(options.signal)
  const [program = '', ...parameters] = command
  const timeoutMs = options.timeoutMs ?? commandMs
  const deadline = AbortSignal.timeout(timeoutMs)
  const signals = options.signal === undefined ? [deadline] : [deadline, options.signal]
  return await new Promise((resolve, reject) => {
    const child = spawn(program, parameters, {
      stdio: ['ignore', 'pipe', 'pipe'],
      signal: AbortSignal.any(signals),
      killSignal: 'SIGKILL',
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: { ...process.env, ...options.env, PATH: programPath() },
    })
    let output = ''
    let said = ''
    let partial = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      output = (output + chunk).slice(-outputCharacters)
    })
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      said = (said + chunk).slice(-outputCharacters)
      const lines = (partial + chunk).split('\n')
      partial = lines.pop() ?? ''
      for (const line of lines) options.onLine?.(line)
    })
    const fail = (why: string, cause?: unknown): void => {
      const quoted = said.trim() === '' ? lastLines(output) : lastLines(said)
      const text = `${basename(program)} ${parameters.slice(0, 6).join(' ')}: ${why}\n${quoted}`
      reject(new ClusterError('ERR_CLUSTER_COMMAND', text.trimEnd(), cause))
    }
    child.on('error', (error) => {
      if (deadline.aborted) fail(`not done after ${timeoutMs / 1000} s`)
      else if (options.signal?.aborted === true)
        reject(new ClusterError('ERR_CLUSTER_ABORTED', 'the start was cancelled', error))
      else fail(error.message, error)
    })
    child.on('close', (code, signal) => {
      if (code === 0) resolve(output)
      else fail(code === null ? `ended by ${signal ?? 'a signal'}` : `exit code ${code}`)
    })
  })
}
