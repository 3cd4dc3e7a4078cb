/**
 * The one check of ID tokens of outside issuers. `openid-client` has checked them by the standard; this is stricter where the
 * standard leaves a choice: one audience as a text, no member twice, no key in the token, asymmetric algorithms only.
 * @module
 */
import { compactVerify, errors, type JWTVerifyGetKey } from 'jose'
import { limits, SallyportError } from '@sallyport/protocol'
import { refused } from './claims.ts'
import { issuerAlgorithms } from './remote-keys.ts'
import { parseStrictJson, type JsonObject } from './strict-json.ts'

/** What the token has to say. */
export interface IdTokenExpectations {
  issuer: string
  clientId: string
  nonce: string
  keys: JWTVerifyGetKey
  now: number
}

/** Members that bring a key along, or change what the rest means. */
const forbiddenHeaders = ['jwk', 'jku', 'x5u', 'crit', 'b64', 'zip', 'enc']

/**
 * The claims of a token that is what it has to be.
 * @throws SallyportError ERR_ISSUER_REFUSED saying what was wrong, ERR_ISSUER_UNREACHABLE when there are no keys to check it with.
 */
export async function verifyIdToken(
  token: string,
  expected: IdTokenExpectations,
): Promise<JsonObject> {
  if (Buffer.byteLength(token) > limits.outsideIdTokenBytes) {
    throw refused(`its token is longer than ${limits.outsideIdTokenBytes} bytes`)
  }
  checkHeader(token)
  const payload = await verifiedPayload(token, expected)
  const claims = parseStrictJson(payload)
  if (claims === undefined) throw refused('its token is not JSON, or has a member twice')
  checkParties(claims, expected)
  checkTimes(claims, expected.now)
  return claims
}

function checkHeader(token: string): void {
  const [head = '', , , ...more] = token.split('.')
  const header = parseStrictJson(Buffer.from(head, 'base64url'))
  if (more.length > 0 || header === undefined) throw refused('its token is not a signed one')
  const brought = forbiddenHeaders.find((name) => Object.hasOwn(header, name))
  if (brought !== undefined) throw refused(`the header of its token has the member '${brought}'`)
  const { typ } = header
  if (typ !== undefined && !(typeof typ === 'string' && typ.toUpperCase() === 'JWT')) {
    throw refused('its token is of another type than an ID token')
  }
}

async function verifiedPayload(token: string, expected: IdTokenExpectations): Promise<Uint8Array> {
  try {
    const algorithms = [...issuerAlgorithms]
    // Keys of this issuer only, whoever else signs with a key of the same id (T-JWT-3).
    return (await compactVerify(token, expected.keys, { algorithms })).payload
  } catch (error) {
    if (error instanceof SallyportError) throw error
    if (error instanceof errors.JOSEError) {
      throw refused('the signature of its token is not one of this issuer', error)
    }
    throw error
  }
}

function checkParties(claims: JsonObject, expected: IdTokenExpectations): void {
  const own = (name: string): unknown => (Object.hasOwn(claims, name) ? claims[name] : undefined)
  if (own('iss') !== expected.issuer) throw refused('its token names another issuer')
  if (own('aud') !== expected.clientId) {
    throw refused('its token is not for this hub alone: aud has to be the client id')
  }
  const azp = own('azp')
  if (azp !== undefined && azp !== expected.clientId) {
    throw refused('its token was given to another client')
  }
  if (own('nonce') !== expected.nonce) throw refused('its token belongs to another sign-in')
  // Keycloak says in the payload what kind of token it is.
  const kind = own('typ')
  if (kind !== undefined && kind !== 'ID') throw refused('its token is not an ID token')
  const subject = own('sub')
  if (typeof subject !== 'string' || !isSubject(subject)) {
    throw refused('its token names no subject')
  }
}

/** At most 255 characters (OpenID Connect Core section 2), none of them invisible. */
function isSubject(subject: string): boolean {
  const isPrintable = !/\p{C}|(?! )\p{Z}/u.test(subject)
  return isPrintable && subject !== '' && subject.trim() === subject && subject.length <= 255
}

function checkTimes(claims: JsonObject, now: number): void {
  const { exp, iat, nbf } = claims
  if (typeof exp !== 'number' || typeof iat !== 'number') throw refused('its token has no times')
  if (nbf !== undefined && typeof nbf !== 'number') throw refused('its token has odd times')
  const skew = limits.outsideTokenSkewMs
  if (exp * 1000 <= now - skew) throw refused(`its token has expired; ${clocks(iat, now)}`)
  if (Math.max(iat, nbf ?? iat) * 1000 > now + skew) {
    throw refused(`its token is from the future; ${clocks(iat, now)}`)
  }
  if (iat * 1000 < now - limits.outsideSignInTtlMs - skew) {
    throw refused(`its token is too old; ${clocks(iat, now)}`)
  }
}

function clocks(iat: number, now: number): string {
  const issuer = new Date(iat * 1000)
  const shown = Number.isNaN(issuer.getTime()) ? 'never' : issuer.toISOString()
  return `the clock of the issuer said ${shown}, that of this hub says ${new Date(now).toISOString()}`
}
