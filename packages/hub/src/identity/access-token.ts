/**
 * Access tokens of this hub: which resources they may be asked for, and the one way they are checked.
 * @module
 */
import type { FastifyRequest } from 'fastify'
import { errors, jwtVerify } from 'jose'
import Type from 'typebox'
import { parser, SallyportError } from '@sallyport/protocol'
import type { Store } from '../store/store.ts'
import type { Principal } from './principal.ts'
import { asPrincipal, findServicePrincipal } from './service-principals.ts'
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
    appid: Type.String(),
    idtyp: Type.Literal('app'),
  },
  { additionalProperties: true },
)
const parseClaims = parser(Claims, 'access token', 'ERR_AUTH_FAILED')

/** Resource names other than our own that ARM clients ask for by default. */
const armAudiences = ['https://management.azure.com', 'https://management.core.windows.net']

/** Whether `resource` names this hub: its URL, or one of the well-known ARM audiences; a trailing slash does not matter. */
export function isOurResource(resource: string, publicUrl: string): boolean {
  const name = resource.replace(/\/+$/, '')
  return name === publicUrl || armAudiences.includes(name)
}

/** What checking a token needs. */
export interface AuthenticatorParts {
  store: Store
  key: SigningKey
  issuers: string[]
  audience: string
  tenantId: string
  now: () => number
}

/**
 * The check of `Authorization: Bearer`: ES256 by our key, `typ`, `iss`, `aud`, `exp`; then the principal as it is now.
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
    const principal = await findServicePrincipal(parts.store.db, { objectId: claims.oid })
    if (principal?.enabled !== true || principal.appId !== claims.appid) {
      throw failed('the principal of the token is disabled or deleted')
    }
    return asPrincipal(principal, parts.tenantId)
  }
}

async function verify(
  parts: AuthenticatorParts,
  token: string,
): Promise<Type.Static<typeof Claims>> {
  try {
    const { payload } = await jwtVerify(token, parts.key.publicKey, {
      algorithms: ['ES256'],
      typ: accessTokenType,
      issuer: parts.issuers,
      audience: parts.audience,
      requiredClaims: ['exp', 'iat', 'oid'],
      currentDate: new Date(parts.now()),
    })
    const claims = parseClaims(payload)
    if (claims.tid !== parts.tenantId) throw failed('the token is of another tenant')
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

function failed(message: string, cause?: unknown): SallyportError {
  return new SallyportError('ERR_AUTH_FAILED', message, { cause })
}
