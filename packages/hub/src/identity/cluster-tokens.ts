/**
 * Cluster tokens and statements to agents: signed by keys of their own, which agents pin at enrolment and follow from there.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { SignJWT } from 'jose'
import {
  clusterTokenType,
  feedStatementType,
  limits,
  type ClusterTokenClaims,
  type FeedClaims,
} from '@sallyport/protocol'
import type { ClusterTokens } from '../api/context.ts'
import type { ClusterKeys } from './cluster-keys.ts'

/** Issuer of cluster tokens of a tenant: agents keep it for years, so it is not a URL. */
export function clusterTokenIssuer(tenantId: string): string {
  return `urn:sallyport:hub:${tenantId}`
}

/** Makes the signer: adds issuer, id and times (5 minutes) to the claims the API decides. */
export function createClusterTokens(parts: {
  issuer: string
  keys: ClusterKeys
  now: () => number
}): ClusterTokens {
  const { issuer, keys } = parts
  const sign = (typ: string, claims: ClusterTokenClaims | FeedClaims): Promise<string> =>
    new SignJWT({ ...claims })
      .setProtectedHeader({ alg: 'ES256', typ, kid: keys.signing.kid })
      .sign(keys.signing.privateKey)
  return {
    issuer,
    publicKeys: () => keys.publicKeys(),
    sign: async (subject) => {
      const iat = Math.floor(parts.now() / 1000)
      const expiresAt = iat + limits.clusterTokenTtlMs / 1000
      const times = { iat, nbf: iat, exp: expiresAt }
      const claims: ClusterTokenClaims = { ...subject, iss: issuer, jti: makeTokenId(), ...times }
      return { token: await sign(clusterTokenType, claims), expiresAt }
    },
    signFeed: (news) =>
      sign(feedStatementType, { ...news, iss: issuer, iat: Math.floor(parts.now() / 1000) }),
    statementsFor: (keyIds) => keys.statementsFor(keyIds),
  }
}

function makeTokenId(): string {
  return randomBytes(16).toString('base64url')
}
