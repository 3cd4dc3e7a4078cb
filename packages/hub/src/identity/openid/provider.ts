/**
 * The OpenID provider behind the endpoints: `oidc-provider`, configured to serve what this hub offers and nothing else.
 * @module
 */
import type { Configuration, interactionPolicy } from 'oidc-provider'
// Not the package's index: that one prints to the console that this Node is not an LTS line yet.
import { base, Check } from 'oidc-provider/lib/helpers/interaction_policy/index.js'
import { Provider } from 'oidc-provider/lib/provider.js'
import { limits } from '@sallyport/protocol'
import type { SigningKey } from '../signing-key.ts'
import { checkSecret } from '../directory/secrets.ts'
import { deviceFlowPages, errorPage, logoutPages } from '../sign-in/provider-pages.ts'
import type { ClientTickets } from './client-tickets.ts'
import type { IssuerPaths } from './issuer.ts'
import { createAdapter, type AdapterParts } from './oidc-adapter.ts'
import { accessTokenClaims, findAccountOf, idTokenClaims } from './token-claims.ts'

/** What a provider is made from. */
export interface ProviderParts extends AdapterParts {
  issuer: string
  paths: IssuerPaths
  publicUrl: string
  tenantId: string
  /** Keys of tokens: the first signs, all are published. */
  keys: readonly SigningKey[]
  /** Keys of cookies: the first signs, all are accepted. */
  cookieKeys: readonly string[]
  tickets: ClientTickets
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
    if (parts.tickets.take(this.clientId, secret)) return true
    return checkSecret(parts.store.db, this.clientId, { secret, now: parts.now() })
  }
  provider.on('server_error', (_context, error) => {
    parts.log.error({ event: 'identity.error', err: error })
  })
  return provider
}

function configuration(parts: ProviderParts): Configuration {
  const [newest] = parts.keys
  const host = new URL(parts.publicUrl).host
  return {
    adapter: (model: string) => createAdapter(model, parts),
    jwks: { keys: parts.keys.map((key) => ({ ...key.privateJwk, use: 'sig', alg: 'ES256' })) },
    cookies: cookies([...parts.cookieKeys]),
    routes: parts.paths,
    scopes: ['openid', 'profile', 'offline_access'],
    claims: { openid: [...idTokenClaims, 'sid'] },
    responseTypes: ['code'],
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'none'],
    enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    pkce: { required: () => true },
    ttl: lifetimes(),
    interactions: {
      policy: signInPolicy(),
      url: (_context, interaction) => `/signin/${interaction.uid}`,
    },
    findAccount: (_context, objectId, token) => findAccountOf(parts, objectId, token),
    // Sign-ins outlive the browser's session; they end by sign-out, revocation, or their own time.
    expiresWithSession: () => false,
    issueRefreshToken: (_context, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
    revokeGrantPolicy: () => true,
    renderError: (context, out) => {
      context.type = 'html'
      context.body = errorPage(host, { error: out.error, description: out.error_description })
    },
    features: features(parts, { host, keyId: newest?.kid ?? '' }),
    formats: {
      customizers: {
        jwt: async (_context, token, jwt) => {
          Object.assign(jwt.payload ?? {}, await accessTokenClaims(parts, token))
        },
      },
    },
  }
}

/**
 * Who wants to sign in proves it, every time: a browser's cookie alone signs nobody in, so that a stolen one is worth nothing.
 * Clients keep their sign-in by refresh tokens and ask rarely.
 */
function signInPolicy(): interactionPolicy.DefaultPolicy {
  const policy = base()
  policy
    .get('login')
    ?.checks.add(
      new Check('always', 'everybody signs in', ({ oidc }) =>
        oidc.result?.login === undefined ? Check.REQUEST_PROMPT : Check.NO_NEED_TO_PROMPT,
      ),
    )
  return policy
}

/**
 * Names with a prefix that browsers only take over HTTPS, and for the session only for the whole host (RFC 6265bis). The cookie of a
 * sign-in under way is sent to all of `/signin`: outside issuers send people back to one address there.
 */
function cookies(keys: string[]): NonNullable<Configuration['cookies']> {
  const common = { signed: true, httpOnly: true, secure: true, sameSite: 'lax' } as const
  return {
    keys,
    names: {
      interaction: '__Secure-sallyport.sign-in',
      resume: '__Secure-sallyport.resume',
      session: '__Host-sallyport.session',
    },
    long: { ...common, path: '/' },
    short: { ...common, path: '/signin' },
  }
}

function lifetimes(): NonNullable<Configuration['ttl']> {
  const accessToken = limits.accessTokenTtlMs / 1000
  return {
    AccessToken: accessToken,
    ClientCredentials: accessToken,
    IdToken: accessToken,
    AuthorizationCode: limits.authorizationCodeTtlMs / 1000,
    DeviceCode: limits.deviceCodeTtlMs / 1000,
    Interaction: limits.signInPageTtlMs / 1000,
    RefreshToken: limits.refreshTokenTtlMs / 1000,
    Grant: limits.signInTtlMs / 1000,
    // Before anybody is signed in, a session only ties a form to a browser.
    Session: (_context, session) =>
      (session.accountId === undefined ? limits.signInPageTtlMs : limits.browserSessionTtlMs) /
      1000,
  }
}

function features(
  parts: ProviderParts,
  { host, keyId }: { host: string; keyId: string },
): NonNullable<Configuration['features']> {
  return {
    devInteractions: { enabled: false },
    userinfo: { enabled: false },
    dPoP: { enabled: false },
    pushedAuthorizationRequests: { enabled: false },
    clientCredentials: { enabled: true },
    revocation: {
      enabled: true,
      allowedPolicy: (_context, client, token) => token.clientId === client.clientId,
    },
    rpInitiatedLogout: { enabled: true, ...logoutPages(host) },
    deviceFlow: {
      enabled: true,
      charset: 'base-20',
      mask: '****-****',
      deviceInfo: (context) => ({ ip: context.ip }),
      ...deviceFlowPages(host),
    },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => parts.publicUrl,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        audience: parts.publicUrl,
        scope: '',
        accessTokenFormat: 'jwt',
        accessTokenTTL: limits.accessTokenTtlMs / 1000,
        jwt: { sign: { alg: 'ES256', kid: keyId } },
      }),
    },
  }
}
