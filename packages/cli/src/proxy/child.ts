/**
 * The program behind `--`: its own kubeconfig, our signals, its exit code.
 * @module
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SallyportError } from '@sallyport/protocol'
import { systemCode } from '../credentials/file-error.ts'
import { Interruption, exitCodeOf } from '../commands/interrupt.ts'

/** How a child runs. */
export interface ChildOptions {
  command: readonly string[]
  kubeconfig: string
  env: NodeJS.ProcessEnv
  /** Streams of the CLI: `inherit` for a process, pipes in tests. */
  stdio: {
    stdin: NodeJS.ReadableStream
    stdout: NodeJS.WritableStream
    stderr: NodeJS.WritableStream
  }
  signal: AbortSignal
}

/**
 * Runs the program to its end; its kubeconfig is a private file that is gone afterwards.
 * @throws SallyportError ERR_CHILD_FAILED when it cannot be started.
 */
export async function runChild(options: ChildOptions): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-'))
  try {
    const file = join(directory, 'kubeconfig')
    writeFileSync(file, options.kubeconfig, { mode: 0o600, flag: 'wx' })
    return await runWith(options, file)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function runWith(options: ChildOptions, kubeconfig: string): Promise<number> {
  const [program = '', ...args] = options.command
  const { stdin, stdout, stderr } = options.stdio
  const isOurProcess = stdin === process.stdin && stdout === process.stdout
  const child = spawn(program, args, {
    env: { ...options.env, KUBECONFIG: kubeconfig },
    stdio: isOurProcess ? 'inherit' : 'pipe',
  })
  child.stdout?.pipe(stdout, { end: false })
  child.stderr?.pipe(stderr, { end: false })
  if (child.stdin !== null) {
    child.stdin.on('error', () => undefined)
    stdin.pipe(child.stdin)
  }
  const forward = (): void => {
    const reason: unknown = options.signal.reason
    const name = reason instanceof Interruption ? reason.signal : 'SIGTERM'
    // Ctrl-C on a terminal reaches the whole process group: the child has it, and may mean to go on (k9s, shells).
    const hasIt = name === 'SIGINT' && isOurProcess && process.stdin.isTTY
    if (!hasIt) child.kill(name)
  }
  if (options.signal.aborted) forward()
  options.signal.addEventListener('abort', forward, { once: true })
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  child.once('error', (cause) => {
    const isMissing = systemCode(cause) === 'ENOENT'
    reject(
      new SallyportError('ERR_CHILD_FAILED', `cannot start '${program}'`, {
        cause,
        why: isMissing ? 'there is no such program in PATH' : cause.message,
        remedy: 'check the command after --',
      }),
    )
  })
  child.once('close', (code, signal) => {
    resolve(code ?? (signal === null ? 1 : exitCodeOf(signal)))
  })
  try {
    return await promise
  } finally {
    options.signal.removeEventListener('abort', forward)
    if (child.stdin !== null) stdin.unpipe(child.stdin)
  }
}
