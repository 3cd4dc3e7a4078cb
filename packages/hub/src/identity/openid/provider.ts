/**
 * The OpenID provider behind the endpoints: `oidc-provider`, configured to serve what this hub offers and nothing else.
 * @module
 */
import type { Configuration } from 'oidc-provider'
// Not the package's index: that one prints to the console that this Node is not an LTS line yet.
import { Provider } from 'oidc-provider/lib/provider.js'
import type { Logger } from 'pino'
import { limits, SallyportError } from '@sallyport/protocol'
import type { Store } from '../../store/store.ts'
import { createAdapter } from './oidc-adapter.ts'
import { currentRevision } from '../../registry/revocations.ts'
import { checkSecret } from '../directory/secrets.ts'
import { findServicePrincipal } from '../directory/service-principals.ts'
import type { SigningKey } from '../signing-key.ts'

/** Paths of one issuer. */
export interface IssuerPaths {
  token: string
  jwks: string
  authorization: string
}

/** What a provider is made from. */
export interface ProviderParts {
  issuer: string
  paths: IssuerPaths
  publicUrl: string
  tenantId: string
  store: Store
  key: SigningKey
  /** Signs cookies of interactive sign-in. */
  cookieKeys: string[]
  log: Logger
  now: () => number
}

/** Makes the provider of one issuer; several share store and keys. */
export function createProvider(parts: ProviderParts): Provider {
  const provider = new Provider(parts.issuer, configuration(parts))
  // Addresses in discovery come from `host` and `x-forwarded-proto`, which only our own façade sets.
  provider.proxy = true
  provider.silent = true
  // Secrets are hashes: the one documented place where the provider compares them.
  provider.Client.prototype.compareClientSecret = function (
    this: { clientId: string },
    secret: string,
  ) {
    return checkSecret(parts.store.db, this.clientId, { secret, now: parts.now() })
  }
  provider.on('server_error', (_context, error) => {
    parts.log.error({ event: 'identity.error', err: error })
  })
  return provider
}

function configuration(parts: ProviderParts): Configuration {
  const lifetimeSeconds = limits.accessTokenTtlMs / 1000
  return {
    adapter: (model: string) => createAdapter(model, parts),
    jwks: { keys: [{ ...parts.key.privateJwk, use: 'sig', alg: 'ES256' }] },
    cookies: { keys: parts.cookieKeys },
    routes: parts.paths,
    scopes: ['openid'],
    responseTypes: [],
    clientAuthMethods: ['client_secret_basic', 'client_secret_post'],
    enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    pkce: { required: () => true },
    ttl: { ClientCredentials: lifetimeSeconds },
    features: {
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => parts.publicUrl,
        getResourceServerInfo: () => ({
          audience: parts.publicUrl,
          scope: '',
          accessTokenFormat: 'jwt',
          accessTokenTTL: lifetimeSeconds,
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
    formats: {
      customizers: {
        jwt: async (_context, token, jwt) => {
          Object.assign(jwt.payload ?? {}, await principalClaims(parts, token.clientId ?? ''))
        },
      },
    },
  }
}

/** Claims that name the principal, as Entra writes them for an application (v2.0 access tokens). */
async function principalClaims(
  parts: ProviderParts,
  appId: string,
): Promise<Record<string, string | number>> {
  // Before the principal is read: a revocation in between makes the token too old, never too young.
  const rev = await currentRevision(parts.store.db)
  const principal = await findServicePrincipal(parts.store.db, { appId })
  if (principal === undefined) {
    throw new SallyportError('ERR_AUTH_FAILED', 'the service principal was deleted meanwhile')
  }
  return {
    sub: principal.objectId,
    oid: principal.objectId,
    tid: parts.tenantId,
    appid: principal.appId,
    azp: principal.appId,
    idtyp: 'app',
    ver: '2.0',
    rev,
  }
}
