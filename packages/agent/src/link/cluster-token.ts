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
} from '@sallyport/protocol'
import { PinnedKeys, type PublicKeys } from '../feed/pinned-keys.ts'
import { keyIdOf, verifyStrict, type JwsRules } from '../feed/strict-jws.ts'

/** A verifier for one cluster. */
export interface ClusterTokenVerifier {
  /**
   * @throws SallyportError ERR_BIND_REFUSED (the precise reason is in `why`), ERR_BIND_CLOCK_SKEW naming both times.
   */
  verify(token: string): Promise<ClusterTokenClaims>
  /** Id of the key that signed a verified token. */
  keyIdOf(token: string): string
}

const parseClaims = parser(ClusterTokenClaimsSchema, 'cluster token', 'ERR_BIND_REFUSED')
const toleranceSeconds = limits.clusterTokenSkewMs / 1000

function refuse(why: string, cause?: unknown): SallyportError {
  const options = cause === undefined ? { why } : { why, cause }
  return new SallyportError('ERR_BIND_REFUSED', 'the cluster token was not accepted', options)
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

/** Builds the verifier over the pinned keys. @throws SallyportError ERR_STATE_INVALID when a pinned key is damaged. */
export async function createClusterTokenVerifier(options: {
  issuer: string
  clusterHash: string
  /** The keys as they are followed, or fixed ones. */
  keys: PinnedKeys | PublicKeys
  now?: () => number
  /** Hub clock minus ours in milliseconds, as of the last heartbeat; undefined before the first. */
  hubOffsetMs?: () => number | undefined
}): Promise<ClusterTokenVerifier> {
  const pinned =
    options.keys instanceof PinnedKeys ? options.keys : await PinnedKeys.load(options.keys)
  const rules: JwsRules = {
    typ: clusterTokenType,
    maxBytes: limits.clusterTokenBytes,
    keyOf: (kid) => pinned.get(kid),
    refuse,
  }
  const audience = clusterAudience(options.clusterHash)
  const now = options.now ?? Date.now
  let newestIat = 0
  return {
    verify: async (token) => {
      const claims = parseClaims(await verifyStrict(token, rules))
      if (claims.iss !== options.issuer) throw refuse('the issuer is not the pinned one')
      if (claims.aud !== audience) throw refuse('the audience is another cluster')
      const offset = options.hubOffsetMs?.()
      const agree = offset !== undefined && Math.abs(offset) <= limits.clusterTokenSkewMs
      checkTimes(claims, { now: Math.floor(now() / 1000), newestIat, agree })
      newestIat = Math.max(newestIat, claims.iat)
      return claims
    },
    keyIdOf: (token) => keyIdOf(token, rules),
  }
}
