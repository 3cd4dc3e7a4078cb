/**
 * What went wrong between agent and API server, as one of our errors.
 * @module
 */
import { SallyportError } from '@sallyport/protocol'
import type { UpstreamClient } from '../upstream/client.ts'

const timeouts = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'])

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** Names a failure of the connection to the API server; the system's own words go to the log as `cause`. */
export function upstreamFailure(cause: unknown): SallyportError {
  const code = codeOf(cause)
  if (code !== undefined && timeouts.has(code))
    return new SallyportError('ERR_TIMEOUT', 'the API server did not answer in time', { cause })
  const why = code === undefined ? {} : { why: code }
  return new SallyportError(
    'ERR_UPSTREAM_UNREACHABLE',
    'the agent got no answer from the API server',
    { ...why, cause },
  )
}

/**
 * The error that stands for an answer of the API server which is about the agent and not about the user: 401 on a request
 * that carried the agent's credential. Undefined for every other answer.
 */
export function credentialFailure(
  kind: UpstreamClient['kind'] | undefined,
  status: number,
): SallyportError | undefined {
  if (kind !== 'impersonating' || status !== 401) return undefined
  return new SallyportError('ERR_UPSTREAM_AUTH', 'the API server refused the agent itself')
}

const cannotImpersonate = Buffer.from('cannot impersonate resource')

/**
 * The error for a 403 body which says that the agent may not impersonate (X057): its only mark is the API server's own
 * sentence (apiserver authorization/authorizer: "cannot %s resource"), the same bytes in JSON and protobuf.
 */
export function impersonationForbidden(body: Buffer): SallyportError | undefined {
  if (!body.includes(cannotImpersonate)) return undefined
  return new SallyportError(
    'ERR_UPSTREAM_AUTH',
    'the agent may not impersonate this user or one of its groups',
    { remedy: 'grant the agent the verb impersonate on users, groups and userextras' },
  )
}
