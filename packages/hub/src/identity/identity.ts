/**
 * Everything of identity for one hub: keys from their files, both issuers, the check of callers.
 * @module
 */
import { randomBytes } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import Type from 'typebox'
import { jsonParser } from '@sallyport/protocol'
import { dataPath, readPrivateFile, writePrivateFile } from '../server/data-directory.ts'
import type { Store } from '../store/store.ts'
import { createAuthenticator } from './access-token.ts'
import { registerCloudMetadata } from './cloud-metadata.ts'
import type { ChangeFeed } from '../registry/change-feed.ts'
import { ClusterKeys } from './cluster-keys.ts'
import { clusterTokenIssuer, createClusterTokens } from './cluster-tokens.ts'
import { KeyRotation } from './key-rotation.ts'
import {
  adfsIssuer,
  registerOpenIdEndpoints,
  tenantIssuer,
  type OpenIdEndpointParts,
} from './openid/openid-endpoints.ts'
import type { OutsideFetch } from './issuers/outside-fetch.ts'
import { createProvider } from './openid/provider.ts'
import { loadOrMakeRelayRules, type RelayRule } from './relay-keys.ts'
import { loadSigningKey, type SigningKey } from './signing-key.ts'

/** All keys of a hub. */
export interface HubKeys {
  accessToken: SigningKey
  clusterToken: ClusterKeys
  cookies: string[]
  relayRules: RelayRule[]
}

/** Reads the keys, making those that are missing; `keys/` in the data directory. */
export async function loadKeys(
  dataDirectory: string,
  of: { store: Store; tenantId: string },
): Promise<HubKeys> {
  const path = (name: string): string => dataPath(dataDirectory, 'keys', name)
  const clusterToken = await ClusterKeys.load({
    path: path('cluster-token.json'),
    issuer: clusterTokenIssuer(of.tenantId),
    store: of.store,
    now: Date.now,
  })
  return {
    accessToken: await loadSigningKey(path('access-token.json')),
    clusterToken,
    cookies: loadCookieKeys(path('cookies.json')),
    relayRules: loadOrMakeRelayRules(path('relay.json')),
  }
}

const CookieKeys = Type.Array(Type.String({ minLength: 43 }), { minItems: 1, maxItems: 8 })

function loadCookieKeys(path: string): string[] {
  const kept = readPrivateFile(path)
  if (kept !== undefined) return jsonParser(CookieKeys, path, 'ERR_STATE_INVALID')(kept)
  const keys = [randomBytes(32).toString('base64url')]
  writePrivateFile(path, `${JSON.stringify(keys)}\n`)
  return keys
}

/** What identity is made from. */
export interface IdentityParts {
  store: Store
  keys: HubKeys
  publicUrl: string
  tenantId: string
  log: Logger
  changes: ChangeFeed
  agentLeaseMs: number
  /** How the hub asks outside issuers. */
  outsideFetch: OutsideFetch
  onTokenAnswer: OpenIdEndpointParts['onTokenAnswer']
  now: () => number
}

/** Makes the parts of identity and the function that serves its endpoints. */
export function createIdentity(parts: IdentityParts) {
  const { publicUrl, tenantId, keys } = parts
  const issuer = (from: ReturnType<typeof tenantIssuer>) => ({
    ...from,
    provider: createProvider({
      ...parts,
      ...from,
      key: keys.accessToken,
      cookieKeys: keys.cookies,
    }),
  })
  const tenant = issuer(tenantIssuer(publicUrl, tenantId))
  const adfs = issuer(adfsIssuer(publicUrl))
  return {
    authenticate: createAuthenticator({
      store: parts.store,
      key: keys.accessToken,
      issuers: [tenant.issuer, adfs.issuer],
      audience: publicUrl,
      tenantId,
      now: parts.now,
    }),
    clusterTokens: createClusterTokens({
      issuer: clusterTokenIssuer(tenantId),
      keys: keys.clusterToken,
      now: parts.now,
    }),
    keyRotation: new KeyRotation({
      ...parts,
      keys: keys.clusterToken,
      leaseMs: parts.agentLeaseMs,
      onProblem: (err) => {
        parts.log.error({ event: 'keys.rotation_failed', err })
      },
    }),
    register: async (app: FastifyInstance): Promise<void> => {
      registerCloudMetadata(app, { publicUrl, tenantId })
      await registerOpenIdEndpoints(app, { ...parts, tenant, adfs })
    },
  }
}
