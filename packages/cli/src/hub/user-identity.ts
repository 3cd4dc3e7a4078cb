/**
 * Who signed in, by the ID token that came with the tokens straight from the hub (OpenID Connect Core 3.1.3.7: TLS stands in for its signature).
 * @module
 */
import Type from 'typebox'
import { SallyportError, cliClientId, parser } from '@sallyport/protocol'
import type { UserAccount } from '../credentials/profile.ts'
import type { TokenSet } from './oauth.ts'
import type { SignInEndpoints } from './sign-in.ts'

/** Tokens of a person, and who it is. */
export interface SignedInUser {
  account: UserAccount
  token: TokenSet & { refreshToken: string }
}

const parseClaims = parser(
  Type.Object({
    iss: Type.String(),
    aud: Type.Union([Type.String(), Type.Array(Type.String())]),
    sub: Type.String({ minLength: 1 }),
    oid: Type.Optional(Type.String({ minLength: 1 })),
    tid: Type.Optional(Type.String({ minLength: 1 })),
    preferred_username: Type.Optional(Type.String({ minLength: 1 })),
    nonce: Type.Optional(Type.String()),
  }),
  'ID token',
  'ERR_AUTH_FAILED',
)

/** Reads who signed in. `nonce` is the one sent, undefined for device sign-in. @throws SallyportError ERR_AUTH_FAILED. */
export async function identifyUser(
  endpoints: SignInEndpoints,
  token: TokenSet,
  nonce: string | undefined,
): Promise<SignedInUser> {
  const { idToken, refreshToken } = token
  if (idToken === undefined) throw wrong('the hub sent no ID token')
  if (refreshToken === undefined) throw wrong('the hub sent no refresh token')
  const { decodeJwt } = await import('jose')
  let payload: unknown
  try {
    payload = decodeJwt(idToken)
  } catch (cause) {
    throw new SallyportError('ERR_AUTH_FAILED', 'the ID token of the hub cannot be read', { cause })
  }
  const claims = parseClaims(payload)
  const audiences = typeof claims.aud === 'string' ? [claims.aud] : claims.aud
  if (claims.iss !== endpoints.issuer) throw wrong('the ID token is of another issuer')
  if (audiences.length !== 1 || audiences[0] !== cliClientId)
    throw wrong('the ID token is for another client')
  if (claims.nonce !== nonce) throw wrong('the ID token belongs to another sign-in')
  return {
    account: {
      type: 'user',
      username: claims.preferred_username ?? claims.sub,
      objectId: claims.oid ?? claims.sub,
      homeTenant: claims.tid ?? endpoints.tenantId,
    },
    token: { ...token, refreshToken },
  }
}

function wrong(what: string): SallyportError {
  return new SallyportError('ERR_AUTH_FAILED', `sign-in failed: ${what}`, {
    remedy: 'compare the versions of CLI and hub: sallyport version',
  })
}
