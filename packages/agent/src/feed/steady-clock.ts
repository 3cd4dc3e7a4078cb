/**
 * A clock nobody can set: for leases, which must not grow when the time of day is changed.
 * @module
 */
import { uptime } from 'node:os'

/** Milliseconds that only go forward; on Linux those in which the machine slept count too. */
export function steadyNow(): number {
  return process.platform === 'linux' ? uptime() * 1000 : performance.now()
}
