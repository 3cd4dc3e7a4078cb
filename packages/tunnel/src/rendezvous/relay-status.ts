/**
 * What the HTTP statuses of a relay mean to us.
 * @module
 */
import type { IncomingMessage } from 'node:http'
import { SallyportError, type ErrorCode } from '@sallyport/protocol'
import { hopName, type Hop } from './dial-error.ts'

/** The handshake that failed: on `accept` a 403 means the address, not the token. */
export type HandshakeAction = 'listen' | 'connect' | 'accept'

const codes: Readonly<Record<number, ErrorCode>> = {
  401: 'ERR_RELAY_TOKEN_INVALID',
  403: 'ERR_RELAY_FORBIDDEN',
  404: 'ERR_RELAY_NO_LISTENER',
  409: 'ERR_RELAY_LISTENER_LIMIT',
  410: 'ERR_RELAY_RENDEZVOUS_EXPIRED',
  429: 'ERR_RELAY_BUSY',
  500: 'ERR_RELAY_UNREACHABLE',
  502: 'ERR_RELAY_UNREACHABLE',
  503: 'ERR_RELAY_BUSY',
  504: 'ERR_TIMEOUT',
}

/** The error of a handshake that was answered with `response` instead of 101. */
export function handshakeRefused(
  response: IncomingMessage,
  hop: Hop,
  action: HandshakeAction,
): SallyportError {
  const status = response.statusCode ?? 0
  const code =
    action === 'accept' && status === 403
      ? 'ERR_RELAY_RENDEZVOUS_EXPIRED'
      : (codes[status] ?? 'ERR_RELAY_PROTOCOL')
  const seconds = retryAfterSeconds(response.headers['retry-after'])
  return new SallyportError(code, `${hopName(hop)} refused to ${action}`, {
    why: `status ${status} ${plain(response.statusMessage ?? '')}`.trim(),
    ...(seconds === undefined ? {} : { retryAfterSeconds: seconds }),
  })
}

function retryAfterSeconds(value: string | undefined): number | undefined {
  return value !== undefined && /^\d{1,6}$/.test(value) ? Number(value) : undefined
}

/** Text of the other side, made safe to print. */
function plain(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 200)
}
