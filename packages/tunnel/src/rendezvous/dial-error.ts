/**
 * What went wrong on which hop, in one error.
 * @module
 */
import { SallyportError } from '@sallyport/protocol'

/** What a dial is for: names the last hop in messages, and the code when it or a proxy before it cannot be reached. */
export type DialTarget = 'relay' | 'hub'

/** A place on the way to a target: the outbound proxy or the target itself, with `host:port`. */
export interface Hop {
  kind: 'proxy' | DialTarget
  at: string
  target: DialTarget
}

/** Name of a hop in messages. */
export function hopName(hop: Hop): string {
  return `the ${hop.kind} at ${hop.at}`
}

/** Code of an operating system or TLS error, or a plain word when there is none. */
export function systemCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : 'connection closed'
}

/** Code of a target that cannot be reached. */
export function unreachableCode(hop: Hop): 'ERR_RELAY_UNREACHABLE' | 'ERR_HUB_UNREACHABLE' {
  return hop.target === 'hub' ? 'ERR_HUB_UNREACHABLE' : 'ERR_RELAY_UNREACHABLE'
}

/** The hop cannot be reached: refused, reset, no route, no such name. */
export function unreachable(hop: Hop, cause: unknown): SallyportError {
  return new SallyportError(unreachableCode(hop), `cannot reach ${hopName(hop)}`, {
    why: systemCode(cause),
    cause,
  })
}

/** The hop showed a certificate that is not trusted. */
export function untrusted(hop: Hop, cause: unknown): SallyportError {
  return new SallyportError(
    'ERR_HUB_UNTRUSTED',
    `the certificate of ${hopName(hop)} is not trusted`,
    { why: systemCode(cause), cause },
  )
}

/** The hop did not answer in time; `waitedFor` names what was expected. */
export function timedOut(hop: Hop, waitedFor: string, timeoutMs: number): SallyportError {
  return new SallyportError(
    'ERR_TIMEOUT',
    `${hopName(hop)} did not answer within ${timeoutMs / 1000} s`,
    { why: `waited for ${waitedFor}` },
  )
}
