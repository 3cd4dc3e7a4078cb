/**
 * The access token of the signed-in principal: cached on disk, renewed before its end, one renewal at a time over all processes.
 * @module
 */
import { SallyportError, isSallyportError, limits } from '@sallyport/protocol'
import type { HubProfile } from '../credentials/profile.ts'
import { readSecrets, updateSecrets, type HubSecrets } from '../credentials/secrets.ts'
import { requestToken } from './sign-in.ts'
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
  /** SALLYPORT_TOKEN: used as it is. */
  fixed: string | undefined
  now?: () => number
}

/** Makes a token source. It throws SallyportError ERR_AUTH_REQUIRED when signed out, ERR_AUTH_EXPIRED when it cannot renew. */
export function createTokenSource(options: TokenSourceOptions): TokenSource {
  const { configDirectory, profile, fixed } = options
  const now = options.now ?? Date.now
  const usable = (secrets: HubSecrets | undefined, refused: string | undefined, left: number) =>
    secrets?.accessToken !== undefined &&
    secrets.accessToken !== refused &&
    (secrets.expiresAt ?? 0) - now() > left
      ? secrets.accessToken
      : undefined
  return async ({ signal, refused }) => {
    if (fixed !== undefined) {
      if (fixed === refused) throw expired(profile, 'the hub refuses the token in SALLYPORT_TOKEN')
      return fixed
    }
    const cached = usable(readSecrets(configDirectory, profile.origin), refused, renewBeforeMs)
    if (cached !== undefined) return cached
    const place = {
      configDirectory,
      origin: profile.origin,
      signal,
      timeoutMs: limits.apiCallTimeoutMs + limits.fileLockTimeoutMs,
    }
    const renewed = await updateSecrets(place, async (secrets) => {
      if (secrets === undefined) throw signedOut(profile)
      if (usable(secrets, refused, renewBeforeMs) !== undefined) return secrets
      const fallback = usable(secrets, refused, 0)
      try {
        return { ...secrets, ...(await renew(options, secrets, signal)) }
      } catch (error) {
        // The hub is away for a moment; the token still works.
        if (fallback !== undefined && isSallyportError(error) && error.entry.retryable)
          return secrets
        throw error
      }
    })
    return renewed?.accessToken ?? ''
  }
}

async function renew(options: TokenSourceOptions, secrets: HubSecrets, signal: AbortSignal) {
  const { profile, transport } = options
  const { clientId, clientSecret } = secrets
  if (clientSecret === undefined) throw expired(profile, 'the sign-in has expired')
  try {
    return await requestToken(transport, profile, { clientId, clientSecret, signal })
  } catch (error) {
    if (!isSallyportError(error) || error.code !== 'ERR_AUTH_FAILED') throw error
    throw new SallyportError(
      'ERR_AUTH_EXPIRED',
      'the hub no longer accepts the stored credentials',
      {
        cause: error,
        why: error.message,
        remedy: signInCommand(profile),
      },
    )
  }
}

/** The command that signs in again as the same principal. */
export function signInCommand(
  profile: Pick<HubProfile, 'origin' | 'account' | 'tenantId'>,
): string {
  const client = profile.account === undefined ? 'CLIENT_ID' : profile.account.clientId
  return `sallyport login --service-principal -u ${client} --tenant ${profile.tenantId} --hub ${profile.origin}`
}

function signedOut(profile: HubProfile): SallyportError {
  return new SallyportError('ERR_AUTH_REQUIRED', `nobody is signed in at ${profile.origin}`, {
    remedy: signInCommand(profile),
  })
}

function expired(profile: HubProfile, what: string): SallyportError {
  return new SallyportError('ERR_AUTH_EXPIRED', what, { remedy: signInCommand(profile) })
}
