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
import { checkClusterTokenKey, clusterTokenIssuer, createClusterTokens } from './cluster-tokens.ts'
import {
  adfsIssuer,
  registerOpenIdEndpoints,
  tenantIssuer,
  type OpenIdEndpointParts,
} from './openid/openid-endpoints.ts'
import { createProvider } from './openid/provider.ts'
import { loadOrMakeRelayRules, type RelayRule } from './relay-keys.ts'
import { loadSigningKey, type SigningKey } from './signing-key.ts'

/** All keys of a hub. */
export interface HubKeys {
  accessToken: SigningKey
  clusterToken: SigningKey
  cookies: string[]
  relayRules: RelayRule[]
}

/** Reads the keys, making those that are missing; `keys/` in the data directory. */
export async function loadKeys(dataDirectory: string, store: Store): Promise<HubKeys> {
  const path = (name: string): string => dataPath(dataDirectory, 'keys', name)
  const clusterToken = await loadSigningKey(path('cluster-token.json'))
  await checkClusterTokenKey(store, clusterToken, path('cluster-token.json'))
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
      key: keys.clusterToken,
      now: parts.now,
    }),
    register: async (app: FastifyInstance): Promise<void> => {
      registerCloudMetadata(app, { publicUrl, tenantId })
      await registerOpenIdEndpoints(app, { ...parts, tenant, adfs })
    },
  }
}
