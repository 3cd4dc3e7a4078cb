/**
 * The agent as a process of its own: started so that it outlives the CLI, stopped in an orderly way.
 * @module
 */
import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import Type from 'typebox'
import { SallyportError, errorRegistry, limits, parser, type ErrorCode } from '@sallyport/protocol'
import { fileError } from '../credentials/file-error.ts'
import { identify, isRunning, type ProcessIdentity } from '../credentials/process-identity.ts'

/** What an agent process is started with. */
export interface AgentStart {
  /** Path of the program `sallyport`. */
  program: string
  stateDirectory: string
  kubeconfig: string
  context: string
  logFile: string
  env: NodeJS.ProcessEnv
}

const pollMs = 50

/** Starts an agent detached from terminal and parent. Its last words, should it die before it logs, are in the log file too. */
export async function startAgent(start: AgentStart): Promise<ProcessIdentity> {
  let log: number
  try {
    mkdirSync(dirname(start.logFile), { recursive: true, mode: 0o700 })
    mkdirSync(start.stateDirectory, { recursive: true, mode: 0o700 })
    log = openSync(start.logFile, 'a', 0o600)
  } catch (error) {
    throw fileError(start.logFile, 'write', error)
  }
  const child = spawn(
    process.execPath,
    [
      start.program,
      'agent',
      '--state-directory',
      start.stateDirectory,
      '--kubeconfig',
      start.kubeconfig,
      '--context',
      start.context,
      '--log-file',
      start.logFile,
    ],
    { detached: true, stdio: ['ignore', log, log], env: start.env, cwd: start.stateDirectory },
  )
  closeSync(log)
  await new Promise<void>((ready, reject) => {
    child.once('spawn', ready)
    child.once('error', (cause) => {
      reject(
        new SallyportError('ERR_CHILD_FAILED', 'the agent cannot be started', {
          cause,
          why: cause.message,
        }),
      )
    })
  })
  child.unref()
  const pid = child.pid ?? 0
  return identify(pid) ?? { pid }
}

/** Stops a process: SIGTERM, and SIGKILL when it does not end in time. Waits for its end. */
export async function stopProcess(identity: ProcessIdentity): Promise<void> {
  const deadline = performance.now() + limits.gracefulStopMs
  send(identity, 'SIGTERM')
  while (isRunning(identity)) {
    if (performance.now() > deadline) {
      send(identity, 'SIGKILL')
      if (performance.now() > deadline + limits.gracefulStopMs) {
        throw new SallyportError('ERR_TIMEOUT', `process ${identity.pid} does not end`)
      }
    }
    await sleep(pollMs)
  }
}

function send(identity: ProcessIdentity, signal: NodeJS.Signals): void {
  if (!isRunning(identity)) return
  try {
    process.kill(identity.pid, signal)
  } catch (cause) {
    if (isRunning(identity)) {
      throw new SallyportError('ERR_FILE_ACCESS', `process ${identity.pid} cannot be stopped`, {
        cause,
      })
    }
  }
}

const parseLine = parser(
  Type.Object({
    level: Type.String(),
    event: Type.Optional(Type.String()),
    remedy: Type.Optional(Type.String()),
    err: Type.Optional(
      Type.Object({
        message: Type.String(),
        code: Type.Optional(Type.String()),
        why: Type.Optional(Type.String()),
      }),
    ),
  }),
  'log line',
)

/** The last lines of a log, at most `count`, since byte `from`. */
export function lastLines(logFile: string, count: number, from: number): string[] {
  try {
    const text = readFileSync(logFile).subarray(from).toString('utf8')
    return text
      .split('\n')
      .filter((line) => line !== '')
      .slice(-count)
  } catch {
    return []
  }
}

const isCode = (text: string | undefined): text is ErrorCode =>
  text !== undefined && Object.hasOwn(errorRegistry, text)

/** The error of an agent that ended, from its own last words. */
export function agentFailure(name: string, logFile: string, from: number): SallyportError {
  for (const line of lastLines(logFile, 50, from).reverse()) {
    try {
      const { err, event, remedy } = parseLine(JSON.parse(line))
      if (err === undefined || event !== 'agent.failed') continue
      const code = isCode(err.code) ? err.code : 'ERR_CHILD_FAILED'
      return new SallyportError(code, `the agent of '${name}' stopped: ${err.message}`, {
        why: `${err.why === undefined ? '' : `${err.why}; `}log: ${logFile}`,
        ...(remedy === undefined ? {} : { remedy }),
      })
    } catch {
      // Not a line of its log.
    }
  }
  const [last] = lastLines(logFile, 1, from)
  return new SallyportError('ERR_CHILD_FAILED', `the agent of '${name}' stopped`, {
    ...(last === undefined ? {} : { why: last }),
    remedy: `read its log: tail ${logFile}`,
  })
}
