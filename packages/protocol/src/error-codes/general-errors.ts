/**
 * Error codes of every program: usage, configuration, time.
 * @module
 */
import { entry, type ErrorEntry } from './entry.ts'

/** Codes of this area. */
export const generalErrors = {
  ERR_USAGE: entry(400, 'InvalidParameter', { exit: 2, remedy: 'run the command with --help' }),
  ERR_CONFIG_INVALID: entry(500, 'InvalidConfiguration', {
    exit: 2,
    remedy: 'correct the named settings and start again',
  }),
  ERR_INTERRUPTED: entry(499, 'ClientClosedRequest', {
    exit: 130,
    remedy: 'run the command again',
  }),
  ERR_INTERNAL: entry(500, 'InternalServerError', {
    exit: 1,
    retryable: true,
    remedy: 'look for the request id in the log of the hub or agent',
  }),
  ERR_TIMEOUT: entry(504, 'GatewayTimeout', {
    exit: 7,
    retryable: true,
    remedy: 'try again; if it persists, check the network between the named hops',
  }),
} as const satisfies Record<string, ErrorEntry>
