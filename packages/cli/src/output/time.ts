/**
 * Times as people read them.
 * @module
 */

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

/** "8 s", "14 min", "3 h", "2 d". */
export function duration(ms: number): string {
  if (ms < minute) return `${Math.max(0, Math.round(ms / second))} s`
  if (ms < hour) return `${Math.round(ms / minute)} min`
  if (ms < 2 * day) return `${Math.round(ms / hour)} h`
  return `${Math.round(ms / day)} d`
}

/** "0.4 s" with one digit: how long a step took. */
export function seconds(ms: number): string {
  return `${(ms / second).toFixed(1)} s`
}

/** How long ago an RFC 3339 time was; the text itself when it is none, nothing when there is none. */
export function ago(time: unknown, now: number): string {
  if (typeof time !== 'string') return ''
  const then = Date.parse(time)
  return Number.isNaN(then) ? time : duration(now - then)
}

/** `2026-11-23 21:02:11Z`. */
export function utc(ms: number): string {
  return new Date(ms)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, 'Z')
}
