/**
 * Access tokens of this hub: which resources they may be asked for, and the one way they are checked.
 * @module
 */
import type { KeyObject } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { errors, jwtVerify } from 'jose'
import Type, { type Static } from 'typebox'
import { limits, parser, SallyportError } from '@sallyport/protocol'
import type { Store } from '../store/store.ts'
import { asPrincipal, findAccount, type Account } from './directory/principals.ts'
import type { Principal } from './principal.ts'
import type { SigningKey } from './signing-key.ts'

/** JWS `typ` of an access token (RFC 9068 section 2.1). */
const accessTokenType = 'at+jwt'

const Claims = Type.Object(
  {
    /** Exactly one audience, as a string (T-JWT-6). */
    aud: Type.String(),
    exp: Type.Integer(),
    iat: Type.Integer(),
    oid: Type.String(),
    tid: Type.String(),
    /** The application itself, or the one a person signed in with. */
    appid: Type.String(),
    idtyp: Type.Union([Type.Literal('app'), Type.Literal('user')]),
    /** Number of the latest revocation when the token was issued. */
    rev: Type.Integer({ minimum: 0 }),
    /** Sign-in of a person the token belongs to: it ends when that ends. */
    sid: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
  },
  { additionalProperties: true },
)
const parseClaims = parser(Claims, 'access token', 'ERR_AUTH_FAILED')

/** Resource names other than our own that clients of ARM and Graph ask for by default. */
const wellKnownAudiences = [
  'https://management.azure.com',
  'https://management.core.windows.net',
  'https://graph.microsoft.com',
]

/** Whether `resource` names this hub: its URL, its directory, or a well-known audience; a trailing slash does not matter. */
export function isOurResource(resource: string, publicUrl: string): boolean {
  const name = resource.replace(/\/+$/, '')
  return name === publicUrl || name === `${publicUrl}/graph` || wellKnownAudiences.includes(name)
}

/** What checking a token needs. */
export interface AuthenticatorParts {
  store: Store
  /** Keys whose tokens are accepted now. */
  keys: () => readonly SigningKey[]
  issuers: string[]
  audience: string
  tenantId: string
  now: () => number
}

/**
 * The check of `Authorization: Bearer`: ES256 by our key, `typ`, `iss`, `aud`, `exp`; then the principal as it is now, and whether its
 * sign-in was ended since.
 * @throws SallyportError ERR_AUTH_REQUIRED, ERR_AUTH_EXPIRED, ERR_AUTH_FAILED.
 */
export function createAuthenticator(
  parts: AuthenticatorParts,
): (request: FastifyRequest) => Promise<Principal> {
  return async (request) => {
    const { authorization } = request.headers
    if (authorization === undefined) {
      throw new SallyportError('ERR_AUTH_REQUIRED', 'this call needs a sign-in')
    }
    const [, token] = /^Bearer +([A-Za-z0-9._-]+)$/i.exec(authorization) ?? []
    if (token === undefined) throw failed('the authorization header is not a bearer token')
    const claims = await verify(parts, token)
    const account = await findAccount(parts.store.db, claims.oid)
    if (account === undefined || !isAbout(claims, account)) {
      throw failed('the principal of the token is disabled or deleted')
    }
    if (claims.rev < account.from.revokedSeq || !(await isSignInThere(parts.store, claims))) {
      throw new SallyportError('ERR_AUTH_EXPIRED', 'the sign-in of this token was ended')
    }
    const principal = await asPrincipal(parts.store.db, account, parts.tenantId)
    return claims.sid === undefined ? principal : { ...principal, signIn: claims.sid }
  }
}

/** Kind and names must fit too: an object id alone does not make a user of an application. */
function isAbout(claims: Static<typeof Claims>, { kind, from }: Account): boolean {
  if (claims.idtyp === 'user' && claims.sid === undefined) return false
  if (!from.enabled || kind !== claims.idtyp || from.objectId !== claims.oid) return false
  return !('appId' in from) || from.appId === claims.appid
}

async function isSignInThere(store: Store, claims: Static<typeof Claims>): Promise<boolean> {
  if (claims.sid === undefined) return true
  const grant = await store.db
    .selectFrom('oidc')
    .select('id')
    .where('model', '=', 'Grant')
    .where('id', '=', claims.sid)
    .executeTakeFirst()
  return grant !== undefined
}

async function verify(parts: AuthenticatorParts, token: string): Promise<Static<typeof Claims>> {
  try {
    const { payload } = await jwtVerify(token, (header) => keyOf(parts, header.kid), {
      algorithms: ['ES256'],
      typ: accessTokenType,
      issuer: parts.issuers,
      audience: parts.audience,
      requiredClaims: ['exp', 'iat', 'oid'],
      currentDate: new Date(parts.now()),
    })
    const claims = parseClaims(payload)
    if (claims.tid !== parts.tenantId) throw failed('the token is of another tenant')
    // T-JWT-10: nothing of ours lives longer, whoever signed it.
    const seconds = limits.accessTokenTtlMs / 1000
    const age = parts.now() / 1000 - claims.iat
    if (claims.exp - claims.iat > seconds || age < -limits.clientAssertionSkewMs / 1000) {
      throw failed('the times of the access token are not those of this hub')
    }
    return claims
  } catch (error) {
    if (error instanceof errors.JWTExpired) {
      throw new SallyportError('ERR_AUTH_EXPIRED', 'the access token has expired', { cause: error })
    }
    if (error instanceof errors.JOSEError) {
      throw failed('the access token is not one of this hub', error)
    }
    throw error
  }
}

function keyOf(parts: AuthenticatorParts, kid: string | undefined): KeyObject {
  const found = parts.keys().find((key) => key.kid === kid)
  if (found === undefined) throw new errors.JWKSNoMatchingKey()
  return found.publicKey
}

function failed(message: string, cause?: unknown): SallyportError {
  return new SallyportError('ERR_AUTH_FAILED', message, { cause })
}
