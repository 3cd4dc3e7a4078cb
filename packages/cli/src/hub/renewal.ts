/**
 * Renewing an access token: a person's by refresh token, an application's by its proof.
 * @module
 */
import { SallyportError, cliClientId, isSallyportError } from '@sallyport/protocol'
import type { HubProfile } from '../credentials/profile.ts'
import type { HubSecrets } from '../credentials/secrets.ts'
import { askAsApplication, storedProof } from './application-sign-in.ts'
import { askToken, refused, type Refusal } from './oauth.ts'
import { signInCommand } from './sign-in-command.ts'
import type { HubTransport } from './transport.ts'

/** One renewal. */
export interface Renewal {
  configDirectory: string
  profile: HubProfile
  transport: HubTransport
  env: NodeJS.ProcessEnv
  signal: AbortSignal
  /** What an earlier renewal could not store. */
  unstored: HubSecrets | undefined
  /** Takes what could not be stored, and why. */
  keepUnstored: (secrets: HubSecrets, why: string) => void
}

/** After Ctrl-C the answer is still waited for this long: it may hold the only good refresh token. */
const graceMs = 2_000

/** Renews with the proof of an application. @throws SallyportError ERR_AUTH_EXPIRED when there is none or it is refused. */
export async function renewAsApplication(
  renewal: Renewal,
  secrets: HubSecrets,
): Promise<HubSecrets> {
  const { profile, transport, env, signal } = renewal
  const proof = storedProof(secrets)
  if (proof === undefined) throw cannotRenew(profile, 'the sign-in has expired')
  const request = { clientId: secrets.clientId, proof, env, signal }
  const answer = await askAsApplication(transport, profile, request)
  if ('token' in answer) {
    const { accessToken, expiresAt } = answer.token
    return { ...secrets, accessToken, expiresAt }
  }
  throw cannotRenew(profile, 'the hub no longer accepts the stored credentials', answer.refusal)
}

/**
 * Renews with a refresh token, which is good once. That it is about to be presented is written down first: a process that dies between
 * the hub's answer and the write leaves the mark, and nobody presents the used token again, which the hub would take for a theft.
 * @throws SallyportError ERR_AUTH_EXPIRED when the sign-in has ended.
 */
export async function renewByRefreshToken(
  renewal: Renewal,
  secrets: HubSecrets,
  write: (secrets: HubSecrets) => void,
): Promise<HubSecrets> {
  const { profile, transport } = renewal
  const { renewing, ...rest } = secrets
  if (renewing !== undefined) throw interrupted(profile, renewing.pid)
  const marked = { ...rest, renewing: { pid: process.pid, at: Date.now() } }
  write(marked)
  const grace = graceful(renewal.signal)
  let answer
  try {
    answer = await askToken(transport, profile.tokenEndpoint, {
      form: {
        grant_type: 'refresh_token',
        client_id: cliClientId,
        refresh_token: rest.refreshToken,
        scope: `${profile.audience}/.default`,
      },
      signal: grace.signal,
    })
  } catch (error) {
    // No answer, as far as anybody knows the token is unused: the next one may try.
    write(rest)
    throw error
  } finally {
    grace.dispose()
  }
  if (!('token' in answer)) {
    write({ clientId: rest.clientId })
    throw cannotRenew(profile, 'the sign-in has ended', answer.refusal)
  }
  const { accessToken, expiresAt, refreshToken } = answer.token
  const after = {
    ...rest,
    accessToken,
    expiresAt,
    ...(refreshToken === undefined ? {} : { refreshToken }),
  }
  try {
    write(after)
    return after
  } catch (error) {
    if (!isSallyportError(error)) throw error
    renewal.keepUnstored(
      after,
      `${error.message}${error.why === undefined ? '' : `: ${error.why}`}`,
    )
    return marked
  }
}

/** Follows a signal some time later. */
function graceful(signal: AbortSignal): { signal: AbortSignal; dispose: () => void } {
  const controller = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const later = (): void => {
    timer = setTimeout(() => {
      controller.abort(signal.reason)
    }, graceMs)
  }
  if (signal.aborted) later()
  else signal.addEventListener('abort', later, { once: true })
  return {
    signal: controller.signal,
    dispose: () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', later)
    },
  }
}

function interrupted(profile: HubProfile, pid: number): SallyportError {
  return new SallyportError('ERR_AUTH_EXPIRED', 'the last renewal of the sign-in was cut off', {
    why: `process ${pid} ended between asking the hub and storing its answer; a refresh token is good once`,
    remedy: signInCommand(profile),
  })
}

function cannotRenew(profile: HubProfile, what: string, refusal?: Refusal): SallyportError {
  const cause = refusal === undefined ? undefined : refused(refusal)
  return new SallyportError('ERR_AUTH_EXPIRED', what, {
    ...(cause === undefined ? {} : { cause, why: cause.message }),
    ...(refusal === undefined ? {} : { requestId: refusal.requestId }),
    remedy: signInCommand(profile),
  })
}
