/**
 * Programs under test as real processes: started in a network namespace, watched, and stopped by pid.
 * @module
 */
import { spawn, type ChildProcess } from 'node:child_process'

/** How a process is started. */
export interface ProcessOptions {
  netns?: string
  env?: Record<string, string | undefined>
  cwd?: string
  input?: string | Buffer
  /** Deadline after which it is killed and the run counts as failed, ms. */
  timeoutMs?: number
  /** A process group of its own: Ctrl-C on the terminal does not reach it. */
  detached?: boolean
}

/** What a finished process left. */
export interface ProcessResult {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

const defaultTimeoutMs = 60_000
/** Output kept per stream; a runaway program must not fill the memory of the suite. */
const outputLimitBytes = 64 * 1024 * 1024

/** A process that is running, or has ended. */
export interface Running {
  child: ChildProcess
  pid: number
  ended: Promise<ProcessResult>
  stdout: () => string
  stderr: () => string
  /** Resolves with the match when stdout or stderr has it; rejects with the output when the process ends or the deadline passes. */
  waitFor: (pattern: RegExp, timeoutMs?: number) => Promise<RegExpExecArray>
  /** Sends a signal and waits for the end; SIGKILL after 15 s. */
  stop: (signal?: NodeJS.Signals) => Promise<ProcessResult>
}

const live = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of live) child.kill('SIGKILL')
})

/** Starts a program; `nsenter` only swaps the network namespace and execs, so the pid is the program's own. */
export function start(command: string, args: string[], options: ProcessOptions = {}): Running {
  const prefix =
    options.netns === undefined ? [] : ['nsenter', `--net=/run/netns/${options.netns}`, '--']
  const [program = command, ...rest] = [...prefix, command, ...args]
  const child = spawn(program, rest, {
    env: { ...process.env, ...options.env },
    cwd: options.cwd,
    detached: options.detached ?? false,
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  })
  live.add(child)
  const output = { stdout: '', stderr: '' }
  const watchers = new Set<() => void>()
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      if (output[name].length < outputLimitBytes) output[name] += text
      for (const watcher of watchers) watcher()
    })
  }
  child.stdin?.on('error', () => undefined).end(options.input)
  const ended = new Promise<ProcessResult>((resolve, reject) => {
    child.once('error', (error) => {
      live.delete(child)
      reject(error)
    })
    child.once('close', (code, signal) => {
      live.delete(child)
      resolve({ code, signal, ...output })
    })
  })
  ended.catch(() => undefined)
  const show = () => `${command} ${args.join(' ')}\n${output.stdout}\n${output.stderr}`
  return {
    child,
    pid: child.pid ?? -1,
    ended,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    waitFor: (pattern, timeoutMs = defaultTimeoutMs) => {
      const { promise, resolve, reject } = Promise.withResolvers<RegExpExecArray>()
      const look = () => {
        const match = pattern.exec(output.stdout) ?? pattern.exec(output.stderr)
        if (match !== null) resolve(match)
      }
      const timer = setTimeout(() => {
        reject(new Error(`no ${pattern} within ${timeoutMs} ms in: ${show()}`))
      }, timeoutMs)
      watchers.add(look)
      look()
      void ended.then(
        () => {
          look()
          reject(new Error(`ended without ${pattern}: ${show()}`))
        },
        (cause: unknown) => {
          reject(new Error(`could not start ${command}`, { cause }))
        },
      )
      return promise.finally(() => {
        clearTimeout(timer)
        watchers.delete(look)
      })
    },
    stop: async (signal = 'SIGTERM') => {
      child.kill(signal)
      const timer = setTimeout(() => child.kill('SIGKILL'), 15_000)
      try {
        return await ended
      } finally {
        clearTimeout(timer)
      }
    },
  }
}

/** Runs a program to its end. A deadline kills it and throws with its output. */
export async function run(
  command: string,
  args: string[],
  options: ProcessOptions = {},
): Promise<ProcessResult> {
  const running = start(command, args, options)
  let late = false
  const timer = setTimeout(() => {
    late = true
    running.child.kill('SIGKILL')
  }, options.timeoutMs ?? defaultTimeoutMs)
  try {
    const result = await running.ended
    if (late) {
      throw new Error(
        `${command} ${args.join(' ')} did not end in time:\n${result.stdout}\n${result.stderr}`,
      )
    }
    return result
  } finally {
    clearTimeout(timer)
  }
}

/** Runs a program that must succeed; returns its stdout. */
export async function ok(
  command: string,
  args: string[],
  options: ProcessOptions = {},
): Promise<string> {
  const result = await run(command, args, options)
  if (result.code !== 0) {
    throw new Error(
      `${command} ${args.join(' ')} ended with ${result.code ?? result.signal ?? '?'}:\n${result.stdout}\n${result.stderr}`,
    )
  }
  return result.stdout
}

/** Asks again until `look` answers something else than undefined, or the deadline passes. */
export async function eventually<T>(
  look: () => Promise<T | undefined>,
  what: string,
  timeoutMs = defaultTimeoutMs,
): Promise<T> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`)
    // Polling an outside program: there is no event to wait for.
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
