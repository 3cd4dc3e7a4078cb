/**
 * Verifies cluster tokens with the hub keys pinned at enrolment: everything the bind demands but the peer and the guard.
 * @module
 */
import {
  clusterAudience,
  clusterTokenType,
  ClusterTokenClaimsSchema,
  limits,
  parser,
  SallyportError,
  type ClusterTokenClaims,
  type EnrolmentResponse,
} from '@sallyport/protocol'
import { compactVerify, errors, importJWK, type CryptoKey, type KeyObject } from 'jose'

type PinnedKey = CryptoKey | KeyObject | Uint8Array

/** A verifier for one cluster. */
export interface ClusterTokenVerifier {
  /**
   * @throws SallyportError ERR_BIND_REFUSED (the precise reason is in `why`), ERR_BIND_CLOCK_SKEW naming both times.
   */
  verify(token: string): Promise<ClusterTokenClaims>
}

const parseClaims = parser(ClusterTokenClaimsSchema, 'cluster token', 'ERR_BIND_REFUSED')
const kidPattern = /^[A-Za-z0-9_\-.=]{1,128}$/
const toleranceSeconds = limits.clusterTokenSkewMs / 1000

function refuse(why: string, cause?: unknown): SallyportError {
  const options = cause === undefined ? { why } : { why, cause }
  return new SallyportError('ERR_BIND_REFUSED', 'the cluster token was not accepted', options)
}

/**
 * One part of a compact JWS as an object. The text must be what `JSON.stringify` writes: that rules out repeated members
 * (X045: the last would win), odd numbers and escapes, without a JSON parser of our own.
 */
function parsePart(bytes: Uint8Array, what: string): object {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    const data: unknown = JSON.parse(text)
    if (typeof data === 'object' && data !== null && JSON.stringify(data) === text) return data
  } catch (cause) {
    throw refuse(`the ${what} is not JSON`, cause)
  }
  throw refuse(`the ${what} is not compact JSON without repeated members`)
}

/** The key id of a header that says exactly what ours say; `jwk`, `jku`, `x5u`, `crit` and friends have no meaning here (X061). */
function keyIdOf(token: string): string {
  const header = parsePart(Buffer.from(token.split('.', 1)[0] ?? '', 'base64url'), 'header')
  const { alg, typ, kid, ...others } = header as Record<string, unknown>
  if (Object.keys(others).length > 0) throw refuse('the header has an unknown member')
  if (alg !== 'ES256') throw refuse('the algorithm is not ES256')
  if (typ !== clusterTokenType) throw refuse('it is not a cluster token')
  if (typeof kid !== 'string' || !kidPattern.test(kid)) throw refuse('the key id is malformed')
  return kid
}

function iso(seconds: number): string {
  return Number.isSafeInteger(seconds) && Math.abs(seconds) < 8.64e12
    ? new Date(seconds * 1000).toISOString()
    : 'an impossible time'
}

/** The clocks at the moment of a check. */
interface Clocks {
  /** Unix seconds. */
  now: number
  /** `iat` of the newest accepted token. */
  newestIat: number
  /** Whether the hub's clock is known and agrees with ours. */
  agree: boolean
}

function badTime(what: string, claims: ClusterTokenClaims, clocks: Clocks): SallyportError {
  const times = `the hub issued it at ${iso(claims.iat)}, valid to ${iso(claims.exp)}; the clock of the agent says ${iso(clocks.now)}`
  // With clocks that agree the token is simply old, and nobody has to set a clock.
  const code = clocks.agree ? 'ERR_BIND_REFUSED' : 'ERR_BIND_CLOCK_SKEW'
  return new SallyportError(code, `${what}: ${times}`)
}

/** Checks times as seconds: ±30 s of tolerance, lifetime at most ten minutes, nothing that a newer token proves to be over. */
function checkTimes(claims: ClusterTokenClaims, clocks: Clocks): void {
  const { iat, nbf, exp } = claims
  const { now, newestIat } = clocks
  const lifetime = exp - Math.min(iat, nbf)
  if (lifetime <= 0 || lifetime * 1000 > limits.clusterTokenMaxTtlMs)
    throw refuse('the lifetime of the token is not allowed')
  if (Math.max(nbf, iat) > now + toleranceSeconds)
    throw badTime('the cluster token is not valid yet', claims, clocks)
  if (exp + toleranceSeconds <= now) throw badTime('the cluster token has expired', claims, clocks)
  // A clock set back must not revive a token: a younger token of the same hub has been seen (T-JWT-10).
  if (exp + toleranceSeconds <= newestIat) throw refuse('the token has expired')
}

/** Builds the verifier from what enrolment pinned. @throws SallyportError ERR_STATE_INVALID when a pinned key is damaged. */
export async function createClusterTokenVerifier(options: {
  issuer: string
  clusterHash: string
  keys: EnrolmentResponse['clusterTokenKeys']
  now?: () => number
  /** Hub clock minus ours in milliseconds, as of the last heartbeat; undefined before the first. */
  hubOffsetMs?: () => number | undefined
}): Promise<ClusterTokenVerifier> {
  const keys = new Map<string, PinnedKey>()
  for (const { kid, ...jwk } of options.keys) {
    try {
      keys.set(kid, await importJWK(jwk, 'ES256'))
    } catch (cause) {
      throw new SallyportError('ERR_STATE_INVALID', 'a pinned key of the hub is damaged', { cause })
    }
  }
  const audience = clusterAudience(options.clusterHash)
  const now = options.now ?? Date.now
  let newestIat = 0
  return {
    verify: async (token) => {
      if (token.length > limits.clusterTokenBytes) throw refuse('the token is too long')
      const key = keys.get(keyIdOf(token))
      if (key === undefined) throw refuse('the key is not one of the pinned keys of the hub')
      const payload = await verifySignature(token, key)
      const claims = parseClaims(parsePart(payload, 'payload'))
      if (claims.iss !== options.issuer) throw refuse('the issuer is not the pinned one')
      if (claims.aud !== audience) throw refuse('the audience is another cluster')
      const offset = options.hubOffsetMs?.()
      const agree = offset !== undefined && Math.abs(offset) <= limits.clusterTokenSkewMs
      checkTimes(claims, { now: Math.floor(now() / 1000), newestIat, agree })
      newestIat = Math.max(newestIat, claims.iat)
      return claims
    },
  }
}

async function verifySignature(token: string, key: PinnedKey): Promise<Uint8Array> {
  try {
    const { payload } = await compactVerify(token, key, { algorithms: ['ES256'] })
    return payload
  } catch (cause) {
    if (cause instanceof errors.JOSEError) throw refuse('the signature does not verify', cause)
    throw cause
  }
}
