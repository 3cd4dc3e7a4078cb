/**
 * Processes that can be told from later ones with the same number.
 * @module
 */
import { readFileSync } from 'node:fs'

/** A process for ever: pids are used again, the pair of pid, start time and boot is not. */
export interface ProcessIdentity {
  pid: number
  /** Start time in clock ticks since boot (proc(5), field 22 of stat). */
  startTime: string
  bootId: string
}

interface ProcessStat {
  state: string
  startTime: string
}

function readStat(pid: number): ProcessStat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is the program's name in brackets and may itself hold brackets and spaces.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return { state: fields[0] ?? 'X', startTime: fields[19] ?? '' }
  } catch {
    return undefined
  }
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return ''
  }
}

/** Identity of a running process; undefined when there is none of that number. */
export function identify(pid: number): ProcessIdentity | undefined {
  const stat = readStat(pid)
  return stat === undefined ? undefined : { pid, startTime: stat.startTime, bootId: bootId() }
}

/** Whether exactly this process still runs; a zombie counts as gone. */
export function isAlive(identity: ProcessIdentity): boolean {
  const stat = readStat(identity.pid)
  if (stat === undefined || stat.state === 'Z' || stat.state === 'X') return false
  return stat.startTime === identity.startTime && bootId() === identity.bootId
}

/** Sends SIGKILL to exactly this process; a process that is gone is no error. */
export function killProcess(identity: ProcessIdentity): void {
  if (!isAlive(identity)) return
  try {
    process.kill(identity.pid, 'SIGKILL')
  } catch {
    // It ended between the look and the signal.
  }
}
