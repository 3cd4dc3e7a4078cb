/**
 * A hub whose sign-in is a plain `oidc-provider`, certified by others: what our client says to it, any OpenID provider would understand.
 * It can misbehave on purpose where the tests ask it to.
 * @module
 */
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Configuration, KoaContextWithOIDC } from 'oidc-provider'
import { Provider } from 'oidc-provider/lib/provider.js'
import { cliClientId, cliRedirectPath } from '@sallyport/protocol'
import { createLocalCertificates } from '../../src/proxy/certificates.ts'

/** Applications of the provider. */
export const applications = {
  secret: { clientId: 'app-with-secret', clientSecret: 'a-secret-of-the-application' },
  certificate: { clientId: 'app-with-certificate' },
} as const

/** The provider and its handles. */
export interface ProviderHub {
  url: string
  caFile: string
  ca: string
  tenantId: string
  subscriptionId: string
  /** PEM with certificate and key of `applications.certificate`. */
  certificatePem: string
  /** Grant types answered with tokens, in order. */
  grants: string[]
  /** Grants the provider ended, by reuse or revocation. */
  revoked: number
  /** Who signs in next. */
  person: { accountId: string; username: string } | 'refuses'
  /** Runs after a token answer was made and before it is sent. */
  beforeAnswer: (() => Promise<void>) | undefined
  /** Answers in place of the provider. */
  instead: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined
  /** Bearer tokens that came with API calls. */
  bearers: string[]
  stop: () => Promise<void>
}

const tenantId = '11111111-2222-4333-8444-555555555555'
const subscriptionId = '66666666-7777-4888-8999-000000000000'

/** Starts one on a free port. */
export async function startProviderHub(): Promise<ProviderHub> {
  const certificates = await createLocalCertificates()
  const server = createServer({
    key: certificates.serverKey,
    cert: certificates.serverCertificate,
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-cli-provider-'))
  const caFile = join(directory, 'ca.crt')
  writeFileSync(caFile, certificates.ca)
  const hub: ProviderHub = {
    url,
    caFile,
    ca: certificates.ca,
    tenantId,
    subscriptionId,
    certificatePem: certificates.clientCertificate + certificates.clientKey,
    grants: [],
    revoked: 0,
    person: { accountId: 'object-of-alice', username: 'alice@example.com' },
    beforeAnswer: undefined,
    instead: undefined,
    bearers: [],
    stop: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
      rmSync(directory, { recursive: true })
    },
  }
  const provider = createProvider(hub, certificates.clientCertificate)
  const handle = provider.callback()
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (hub.instead?.(request, response) === true) return
    if (answerApi(hub, request, response)) return
    // The façade path of the tenant is the provider's own.
    request.url = (request.url ?? '').replace(`/${tenantId}/v2.0/`, '/')
    void handle(request, response)
  })
  return hub
}

function answerApi(hub: ProviderHub, request: IncomingMessage, response: ServerResponse): boolean {
  const { pathname } = new URL(request.url ?? '/', hub.url)
  const send = (body: unknown): true => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(body))
    return true
  }
  if (pathname === '/metadata/endpoints') {
    return send({
      name: 'test',
      resourceManager: hub.url,
      authentication: { loginEndpoint: hub.url, audiences: [hub.url], tenant: tenantId },
    })
  }
  if (!pathname.startsWith('/subscriptions')) return false
  hub.bearers.push((request.headers.authorization ?? '').replace(/^Bearer /, ''))
  if (pathname !== '/subscriptions') return send({ value: [] })
  return send({
    value: [
      {
        id: `/subscriptions/${subscriptionId}`,
        subscriptionId,
        displayName: 'shops',
        tenantId,
        state: 'Enabled',
      },
    ],
  })
}

function createProvider(hub: ProviderHub, clientCertificate: string): Provider {
  const provider = new Provider(hub.url, configuration(hub, clientCertificate))
  provider.silent = true
  provider.use(async (context, next) => {
    const uid = /^\/interaction\/([^/]+)$/.exec(context.path)?.[1]
    if (uid !== undefined) {
      const login = hub.person === 'refuses' ? undefined : { accountId: hub.person.accountId }
      const result = login === undefined ? { error: 'access_denied' } : { login, consent: {} }
      await provider.interactionFinished(context.req, context.res, result, {
        mergeWithLastSubmission: false,
      })
      context.respond = false
      return
    }
    await next()
    if (context.path === '/device/auth') Object.assign(context.body as object, { interval: 1 })
    if (context.path === '/token') await hub.beforeAnswer?.()
  })
  provider.on('grant.success', (context: KoaContextWithOIDC) => {
    hub.grants.push(String(context.oidc.params?.['grant_type']))
  })
  provider.on('grant.revoked', () => {
    hub.revoked += 1
  })
  return provider
}

function configuration(hub: ProviderHub, clientCertificate: string): Configuration {
  const scope = `${hub.url}/.default`
  const application = { grant_types: ['client_credentials'], redirect_uris: [], response_types: [] }
  const { publicKey } = new X509Certificate(clientCertificate)
  return {
    clients: [
      {
        client_id: cliClientId,
        application_type: 'native',
        redirect_uris: [`http://127.0.0.1${cliRedirectPath}`],
        token_endpoint_auth_method: 'none',
        response_types: ['code'],
        grant_types: [
          'authorization_code',
          'refresh_token',
          'urn:ietf:params:oauth:grant-type:device_code',
        ],
      },
      {
        ...application,
        client_id: applications.secret.clientId,
        client_secret: applications.secret.clientSecret,
        token_endpoint_auth_method: 'client_secret_post',
      },
      {
        ...application,
        client_id: applications.certificate.clientId,
        token_endpoint_auth_method: 'private_key_jwt',
        jwks: { keys: [{ ...publicKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig' }] },
      } as never,
    ],
    scopes: ['openid', 'offline_access'],
    claims: { profile: ['preferred_username'], openid: ['sub', 'oid', 'tid'] },
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    cookies: { keys: ['a-key-for-cookies-of-the-test'] },
    rotateRefreshToken: true,
    issueRefreshToken: (_context, client) => client.clientId === cliClientId,
    interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (_context, accountId) => ({
      accountId,
      claims: () => ({
        sub: accountId,
        oid: accountId,
        tid: tenantId,
        preferred_username: hub.person === 'refuses' ? '' : hub.person.username,
      }),
    }),
    loadExistingGrant: async (context) => {
      const { client, session, provider } = context.oidc
      const grant = new provider.Grant({
        clientId: client?.clientId ?? '',
        accountId: session?.accountId ?? '',
      })
      grant.addOIDCScope('openid profile offline_access')
      grant.addResourceScope(hub.url, scope)
      await grant.save()
      return grant
    },
    features: {
      devInteractions: { enabled: false },
      deviceFlow: { enabled: true },
      revocation: { enabled: true },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => hub.url,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          audience: hub.url,
          scope,
          accessTokenFormat: 'jwt',
          accessTokenTTL: 3600,
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  }
}
