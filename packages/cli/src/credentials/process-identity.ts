/**
 * Which process a pid meant: the pid with its start, because pids are used again.
 * @module
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** A process on this machine; `started` is opaque and undefined where the system does not tell. */
export interface ProcessIdentity {
  pid: number
  started?: string
}

/** `ps` answers in milliseconds; a hanging one must not stop a command. */
const psTimeoutMs = 2_000

function startOf(pid: number): string | undefined {
  if (process.platform === 'linux') {
    try {
      const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      // The name in parentheses may hold spaces and parentheses; field 22 is the start in ticks since boot (proc(5)).
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      if (fields[0] === 'Z') return undefined
      return `${boot}:${fields[19] ?? ''}`
    } catch {
      return undefined
    }
  }
  if (process.platform === 'win32') return undefined
  try {
    const options = { encoding: 'utf8', timeout: psTimeoutMs, env: { LC_ALL: 'C' } } as const
    const text = execFileSync('/bin/ps', ['-o', 'lstart=', '-p', String(pid)], options).trim()
    return text === '' ? undefined : text
  } catch {
    return undefined
  }
}

/** Identity of a running process, undefined when there is none with this pid. */
export function identify(pid: number): ProcessIdentity | undefined {
  const started = startOf(pid)
  if (started !== undefined) return { pid, started }
  if (process.platform === 'linux') return undefined
  try {
    process.kill(pid, 0)
    return { pid }
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? { pid } : undefined
  }
}

/** Whether exactly this process still runs. */
export function isRunning(identity: ProcessIdentity): boolean {
  const now = identify(identity.pid)
  return now !== undefined && (identity.started === undefined || now.started === identity.started)
}
