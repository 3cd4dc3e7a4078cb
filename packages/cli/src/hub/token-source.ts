/**
 * The access token of the signed-in principal: cached on disk, renewed before its end, one renewal at a time over all processes.
 * @module
 */
import { SallyportError, isSallyportError, limits } from '@sallyport/protocol'
import { accountName, type HubProfile } from '../credentials/profile.ts'
import {
  readSecrets,
  secretsKey,
  updateSecrets,
  type HubSecrets,
  type SecretsPlace,
} from '../credentials/secrets.ts'
import { signInCommand } from './sign-in-command.ts'
import { renewAsApplication, renewByRefreshToken, type Renewal } from './renewal.ts'
import type { HubTransport } from './transport.ts'

/** A token with less than this left is renewed. */
const renewBeforeMs = 5 * 60 * 1000

/** Gives a token that is good for the next minutes. */
export type TokenSource = (options: {
  signal: AbortSignal
  /** Refused by the hub: get another one. */
  refused?: string
}) => Promise<string>

/** What a token source needs. */
export interface TokenSourceOptions {
  configDirectory: string
  profile: HubProfile
  transport: HubTransport
  env: NodeJS.ProcessEnv
  /** SALLYPORT_TOKEN: used as it is. */
  fixed: string | undefined
  /** Tells the person that a token lasts for this run only. */
  warn?: ((text: string) => void) | undefined
  now?: () => number
  /** How long the renewal of another process may take. */
  lockTimeoutMs?: number
}

/** Makes a token source. It throws SallyportError ERR_AUTH_REQUIRED when signed out, ERR_AUTH_EXPIRED when it cannot renew. */
export function createTokenSource(options: TokenSourceOptions): TokenSource {
  const { configDirectory, profile, fixed } = options
  const key = secretsKey(profile)
  const now = options.now ?? Date.now
  /** What could not be stored; for this run only. */
  let unstored: HubSecrets | undefined
  const usable = (secrets: HubSecrets | undefined, refused: string | undefined, left: number) =>
    secrets?.accessToken !== undefined &&
    secrets.accessToken !== refused &&
    (secrets.expiresAt ?? 0) - now() > left
      ? secrets.accessToken
      : undefined
  /** The first token with enough left. */
  const any = (stored: HubSecrets | undefined, refused: string | undefined, left: number) =>
    usable(unstored, refused, left) ?? usable(stored, refused, left)
  const keepUnstored = (secrets: HubSecrets, why: string): void => {
    if (unstored === undefined) options.warn?.(`${why}; the token lasts for this run only`)
    unstored = secrets
  }
  const renew = async (
    { signal, refused }: Parameters<TokenSource>[0],
    stored: HubSecrets | undefined,
  ): Promise<string> => {
    const fallback = any(stored, refused, 0)
    const patience = fallback === undefined ? limits.apiCallTimeoutMs : 0
    const lockTimeoutMs = options.lockTimeoutMs ?? patience + limits.fileLockTimeoutMs
    const renewal = { ...options, signal, unstored, keepUnstored, lockTimeoutMs }
    try {
      const renewed = await renewStored(renewal, (it) => usable(it, refused, renewBeforeMs))
      return usable(unstored, refused, 0) ?? renewed.accessToken ?? ''
    } catch (error) {
      // The hub is away for a moment, another holds the lock, a renewal was cut off: the token still works.
      const passes = canPass(error) || stored?.renewing !== undefined
      if (fallback !== undefined && passes && !signal.aborted) return fallback
      throw error
    }
  }
  return async (request) => {
    if (fixed !== undefined) {
      if (fixed !== request.refused) return fixed
      throw expired(profile, 'the hub refuses the token in SALLYPORT_TOKEN')
    }
    const stored = readSecrets(configDirectory, key)
    return any(stored, request.refused, renewBeforeMs) ?? renew(request, stored)
  }
}

const canPass = (error: unknown) =>
  isSallyportError(error) && (error.entry.retryable || isUnwritable(error))

const isUnwritable = (error: SallyportError) => error.code === 'ERR_FILE_ACCESS'

/** Renews under the lock, unless another process was faster. Where nothing can be written, an application's token is kept in memory. */
async function renewStored(
  renewal: Renewal & { lockTimeoutMs: number },
  good: (secrets: HubSecrets) => string | undefined,
): Promise<HubSecrets> {
  const { configDirectory, profile, signal } = renewal
  const place: SecretsPlace = {
    configDirectory,
    key: secretsKey(profile),
    signal,
    timeoutMs: renewal.lockTimeoutMs,
  }
  try {
    const renewed = await updateSecrets(place, async (secrets, write) => {
      if (secrets === undefined) throw signedOut(profile)
      if (good(secrets) !== undefined) return secrets
      // What an earlier renewal of this run could not store is the newer one.
      const latest = renewal.unstored ?? secrets
      return latest.refreshToken !== undefined || latest.renewing !== undefined
        ? renewByRefreshToken(renewal, latest, write)
        : renewAsApplication(renewal, latest)
    })
    if (renewed !== undefined) return renewed
    throw signedOut(profile)
  } catch (error) {
    if (!isSallyportError(error) || !isUnwritable(error)) throw error
    const secrets = readSecrets(configDirectory, place.key)
    if (secrets === undefined) throw signedOut(profile)
    if (secrets.refreshToken !== undefined) throw cannotKeep(error)
    const token = await renewAsApplication(renewal, secrets)
    renewal.keepUnstored(
      token,
      `${error.message}${error.why === undefined ? '' : `: ${error.why}`}`,
    )
    return token
  }
}

/** Asking with a refresh token whose successor cannot be stored would end the sign-in for good. */
function cannotKeep(error: SallyportError): SallyportError {
  return new SallyportError(
    'ERR_FILE_ACCESS',
    'the sign-in cannot be renewed: nothing can be stored',
    {
      cause: error,
      why: error.why === undefined ? error.message : `${error.message}: ${error.why}`,
      remedy: `${error.remedy}, or set SALLYPORT_CONFIG_DIR to a directory of yours and sign in again`,
      ...(error.target === undefined ? {} : { target: error.target }),
    },
  )
}

function signedOut(profile: HubProfile): SallyportError {
  const { origin, account } = profile
  return new SallyportError('ERR_AUTH_REQUIRED', `nobody is signed in at ${origin}`, {
    ...(account === undefined ? {} : { why: `${accountName(account)} signed out on this machine` }),
    remedy: signInCommand(profile),
  })
}

function expired(profile: HubProfile, what: string): SallyportError {
  return new SallyportError('ERR_AUTH_EXPIRED', what, { remedy: signInCommand(profile) })
}
