/**
 * The programs of the demo as child processes: the CLI of this repository and kubectl.
 * @module
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const cliMain = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url))

/** Where a demo program runs: environment and the signal that ends it. */
export interface Place {
  env: Record<string, string | undefined>
  signal: AbortSignal
}

/** Output of a program that ended well. */
export interface Output {
  stdout: string
  stderr: string
}

const deadlineMs = 180_000

function launch(command: string[], place: Place): { child: ChildProcess; output: Output } {
  const [program = '', ...args] = command
  // A process group of its own: Ctrl-C reaches the demo only, which ends its programs in order.
  const child = spawn(program, args, {
    env: { ...process.env, ...place.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text))
  return { child, output }
}

const failure = (command: string[], how: string, output: Output) =>
  new Error(
    `${command.slice(0, 4).join(' ')} … ${how}\n${output.stderr.trim() || output.stdout.trim()}`,
  )

/** Runs a program to its end; anything but exit 0 throws with what it said. */
export async function run(command: string[], place: Place): Promise<Output> {
  const { child, output } = launch(command, place)
  const stop = () => child.kill('SIGTERM')
  const signal = AbortSignal.any([place.signal, AbortSignal.timeout(deadlineMs)])
  signal.addEventListener('abort', stop, { once: true })
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', resolve)
    })
    if (code !== 0) throw failure(command, `ended with ${code ?? 'a signal'}`, output)
    return output
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/** A program that stays. */
export interface Daemon {
  output: Output
  stop: () => Promise<void>
}

/** Starts a program and waits until its output matches `ready`. */
export async function daemon(command: string[], ready: RegExp, place: Place): Promise<Daemon> {
  const { child, output } = launch(command, place)
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => {
      resolve()
    })
    child.once('error', () => {
      resolve()
    })
  })
  const { promise, resolve, reject } = Promise.withResolvers<undefined>()
  const look = () => {
    if (ready.test(output.stdout) || ready.test(output.stderr)) resolve(undefined)
  }
  child.stdout?.on('data', look)
  child.stderr?.on('data', look)
  void ended.then(() => {
    reject(failure(command, 'ended before it was ready', output))
  })
  const signal = AbortSignal.any([place.signal, AbortSignal.timeout(deadlineMs)])
  const late = () => {
    reject(failure(command, 'was not ready in time', output))
  }
  signal.addEventListener('abort', late, { once: true })
  const stop = async () => {
    child.kill('SIGINT')
    const timer = setTimeout(() => child.kill('SIGKILL'), 15_000)
    await ended
    clearTimeout(timer)
  }
  try {
    await promise
    return { output, stop }
  } catch (error) {
    await stop()
    throw error
  } finally {
    signal.removeEventListener('abort', late)
  }
}

/** Command line of our own CLI. */
export const sallyport = (...args: string[]) => [process.execPath, cliMain, ...args]
