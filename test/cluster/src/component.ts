/**
 * One long-running program of a cluster: its process, its log, and what it said when it failed.
 * @module
 */
import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { ClusterError } from './error.ts'
import { identify, isAlive, killProcess, type ProcessIdentity } from './process-identity.ts'
import { programPath } from './program-path.ts'
import { lastLines } from './run-command.ts'

/** What to run. */
export interface ComponentOptions {
  name: string
  command: readonly string[]
  logFile: string
  /** Working directory and HOME. */
  directory: string
}

/** A started program. */
export interface Component {
  name: string
  logFile: string
  identity: ProcessIdentity
  isAlive(): boolean
  kill(): void
  /** Throws an error that quotes the log when the program has ended. */
  check(): void
}

/** An error about a component, with the end of its log and where to find the rest. */
export function componentError(
  component: Pick<Component, 'name' | 'logFile'>,
  why: string,
  code: 'ERR_CLUSTER_COMPONENT' | 'ERR_CLUSTER_TIMEOUT' = 'ERR_CLUSTER_COMPONENT',
): ClusterError {
  let log = ''
  try {
    log = readFileSync(component.logFile, 'utf8')
  } catch {
    // It failed before it wrote anything.
  }
  const text = `${component.name} ${why}\n${lastLines(log)}\n  log: ${component.logFile}`
  return new ClusterError(code, text)
}

/**
 * Starts a program in a session of its own (Ctrl-C of a terminal reaches the owner only) that the kernel kills when its
 * owner dies. Its environment is small on purpose: an HTTPS_PROXY must not catch the API server's calls to the kubelet.
 */
export function startComponent(options: ComponentOptions): Component {
  const { name, logFile } = options
  const log = openSync(logFile, 'a', 0o600)
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...options.command], {
    cwd: options.directory,
    env: { PATH: programPath(), HOME: options.directory, LANG: 'C.UTF-8' },
    stdio: ['ignore', log, log],
    detached: true,
  })
  closeSync(log)
  let ended: string | undefined
  child.on('error', (error) => {
    ended = `could not be started: ${error.message}`
  })
  child.on('exit', (code, signal) => {
    ended = code === null ? `was ended by ${signal ?? 'a signal'}` : `ended with exit code ${code}`
  })
  const identity = child.pid === undefined ? undefined : identify(child.pid)
  if (identity === undefined) throw componentError({ name, logFile }, 'could not be started')
  return {
    name,
    logFile,
    identity,
    isAlive: () => isAlive(identity),
    kill: () => {
      killProcess(identity)
    },
    check: () => {
      if (ended !== undefined) throw componentError({ name, logFile }, ended)
    },
  }
}
