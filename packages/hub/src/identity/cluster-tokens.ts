/**
 * Cluster tokens: signed by a key of their own, which agents pin at enrolment.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { SignJWT } from 'jose'
import {
  clusterTokenType,
  limits,
  SallyportError,
  type ClusterTokenClaims,
} from '@sallyport/protocol'
import type { ClusterTokens } from '../api/context.ts'
import type { Store } from '../store/store.ts'
import { readSetting, writeSetting } from './settings.ts'
import type { SigningKey } from './signing-key.ts'

/** Issuer of cluster tokens of a tenant: agents keep it for years, so it is not a URL. */
export function clusterTokenIssuer(tenantId: string): string {
  return `urn:sallyport:hub:${tenantId}`
}

/** Makes the signer: adds issuer, id and times (5 minutes) to the claims the API decides. */
export function createClusterTokens(parts: {
  issuer: string
  key: SigningKey
  now: () => number
}): ClusterTokens {
  const { issuer, key } = parts
  return {
    issuer,
    publicKeys: () => [key.publicJwk],
    sign: async (subject) => {
      const iat = Math.floor(parts.now() / 1000)
      const expiresAt = iat + limits.clusterTokenTtlMs / 1000
      const times = { iat, nbf: iat, exp: expiresAt }
      const claims: ClusterTokenClaims = { ...subject, iss: issuer, jti: makeTokenId(), ...times }
      const token = await new SignJWT({ ...claims })
        .setProtectedHeader({ alg: 'ES256', typ: clusterTokenType, kid: key.kid })
        .sign(key.privateKey)
      return { token, expiresAt }
    },
  }
}

function makeTokenId(): string {
  return randomBytes(16).toString('base64url')
}

/**
 * Checks that the key is the one this store has always used: agents accept no other.
 * @throws SallyportError ERR_STATE_INVALID when the key file was lost and a new key made in its place.
 */
export async function checkClusterTokenKey(
  store: Store,
  key: SigningKey,
  path: string,
): Promise<void> {
  const known = await readSetting(store.db, 'clusterTokenKeyId')
  if (known === undefined) await writeSetting(store.db, 'clusterTokenKeyId', key.kid)
  else if (known !== key.kid) {
    throw new SallyportError('ERR_STATE_INVALID', `${path} is not the key the agents know`, {
      remedy: `restore ${path} from a backup; without it every cluster has to be connected again`,
    })
  }
}
