/**
 * One line when the link is lost, one when it is back; nothing for what users do not notice. Rights that changed are told once a
 * new token is there: without one the session ends, and its error is the one line to read.
 * @module
 */
import { limits, type SallyportError } from '@sallyport/protocol'
import type { SessionState } from '@sallyport/tunnel'
import { duration } from '../output/time.ts'

function reason(error: SallyportError): string {
  if (error.code === 'ERR_RELAY_NO_LISTENER') return 'its agent is not connected'
  return error.why === undefined ? error.message : `${error.message}: ${error.why}`
}

/** Turns session states into lines. */
export function createNotices(
  name: string,
  say: (text: string) => void,
): (state: SessionState) => void {
  let isStarted = false
  let lostAt: number | undefined
  let isChanged = false
  return (state) => {
    if (state.state === 'connected') {
      if (isStarted && lostAt !== undefined) {
        say(`connected to '${name}' again after ${duration(Date.now() - lostAt)}`)
      }
      if (isChanged && lostAt === undefined) {
        say(
          `the rights in '${name}' changed: running connections were cut, new ones have the rights of now`,
        )
      }
      lostAt = undefined
      isChanged = false
      isStarted = true
    }
    if (state.state !== 'reconnecting' || lostAt !== undefined) return
    if (isStarted && state.error.code === 'ERR_SESSION_STALE') {
      isChanged = true
      return
    }
    lostAt = Date.now()
    say(
      isStarted
        ? `the connection to '${name}' was lost (${reason(state.error)}); dialling again`
        : `waiting for '${name}' up to ${duration(limits.proxyReadyTimeoutMs)}: ${reason(state.error)}`,
    )
  }
}
