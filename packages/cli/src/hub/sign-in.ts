/**
 * Signing in at a hub: its metadata, its OpenID configuration, the client credentials grant (RFC 6749 section 4.4).
 * @module
 */
import Type from 'typebox'
import {
  CloudMetadataSchema,
  SallyportError,
  jsonParser,
  type CloudMetadata,
} from '@sallyport/protocol'
import { armError } from './arm-error.ts'
import type { HubResponse, HubTransport } from './transport.ts'

const parseMetadata = jsonParser(CloudMetadataSchema, 'metadata of the hub', 'ERR_HUB_UNREACHABLE')

const parseConfiguration = jsonParser(
  Type.Object({ issuer: Type.String(), token_endpoint: Type.String() }),
  'OpenID configuration of the hub',
  'ERR_HUB_UNREACHABLE',
)

const parseToken = jsonParser(
  Type.Object({ access_token: Type.String({ minLength: 1 }), expires_in: Type.Number() }),
  'token answer of the hub',
  'ERR_HUB_UNREACHABLE',
)

const parseOAuthError = jsonParser(
  Type.Object({ error: Type.String(), error_description: Type.Optional(Type.String()) }),
  'error',
)

/** What one hub says about itself. */
export interface SignInEndpoints {
  audience: string
  tenantId: string
  tokenEndpoint: string
}

/** Reads metadata and OpenID configuration. @throws SallyportError ERR_HUB_UNTRUSTED when they lead to another origin (T-CLI-3). */
export async function discover(
  transport: HubTransport,
  options: { tenant: string | undefined; signal: AbortSignal },
): Promise<SignInEndpoints> {
  const { signal } = options
  const metadata = parseMetadata(
    await get(transport, '/metadata/endpoints?api-version=2022-09-01', signal),
  )
  sameOrigin(transport, metadata.resourceManager)
  const tenantId = options.tenant ?? metadata.authentication.tenant
  const base = sameOrigin(transport, metadata.authentication.loginEndpoint)
  const root = base.pathname.replace(/\/+$/, '')
  const configuration = parseConfiguration(
    await get(
      transport,
      `${root}/${encodeURIComponent(tenantId)}/v2.0/.well-known/openid-configuration`,
      signal,
    ),
  )
  return {
    audience: audienceOf(metadata),
    tenantId,
    tokenEndpoint: sameOrigin(transport, configuration.token_endpoint).href,
  }
}

function audienceOf(metadata: CloudMetadata): string {
  const [audience] = metadata.authentication.audiences
  return (audience ?? metadata.resourceManager).replace(/\/+$/, '')
}

async function get(transport: HubTransport, path: string, signal: AbortSignal): Promise<string> {
  const response = await transport.send({ method: 'GET', path, signal })
  if (response.status === 200) return response.text
  const { message, remedy } = oauthProblem(response) ?? {}
  if (message === undefined || remedy === undefined) throw notAHub(transport, response)
  throw new SallyportError('ERR_AUTH_FAILED', message, { remedy, requestId: response.requestId })
}

function notAHub(transport: HubTransport, response: HubResponse): SallyportError {
  return new SallyportError('ERR_HUB_UNREACHABLE', `${transport.origin} is not a Sallyport hub`, {
    why: `it answered with status ${response.status}`,
    remedy: 'check the address given with --hub',
  })
}

function sameOrigin(transport: HubTransport, address: string): URL {
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url?.origin === transport.origin) return url
  throw new SallyportError(
    'ERR_HUB_UNTRUSTED',
    `the hub at ${transport.origin} sends clients to ${url?.origin ?? 'an address that is none'}`,
    { remedy: 'sign in at the address the hub has as its public URL: sallyport login --hub URL' },
  )
}

function oauthProblem(response: HubResponse): { message: string; remedy: string } | undefined {
  try {
    const { error, error_description: description } = parseOAuthError(response.text)
    return {
      message: `sign-in failed: ${description ?? error}`,
      remedy:
        error === 'invalid_tenant'
          ? 'leave --tenant away, or give the tenant id the hub printed at its first start'
          : 'check client id, secret and tenant, then sign in again',
    }
  } catch {
    return undefined
  }
}

/** An access token and when it ends, Unix milliseconds. */
export interface AccessToken {
  accessToken: string
  expiresAt: number
}

/** Client id and secret of a service principal. */
export interface ClientCredentials {
  clientId: string
  clientSecret: string
}

/** Gets a token. @throws SallyportError ERR_AUTH_FAILED for wrong credentials, ERR_RATE_LIMITED, ERR_HUB_UNREACHABLE. */
export async function requestToken(
  transport: HubTransport,
  endpoints: SignInEndpoints,
  options: ClientCredentials & { signal: AbortSignal },
): Promise<AccessToken> {
  const endpoint = sameOrigin(transport, endpoints.tokenEndpoint)
  const response = await transport.send({
    method: 'POST',
    path: endpoint.pathname + endpoint.search,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: options.clientId,
      client_secret: options.clientSecret,
      scope: `${endpoints.audience}/.default`,
    }).toString(),
    signal: options.signal,
  })
  if (response.status === 200) {
    const { access_token: accessToken, expires_in: lifetime } = parseToken(response.text)
    return { accessToken, expiresAt: Date.now() + lifetime * 1000 }
  }
  if (response.status >= 500 || response.status === 429) throw armError(response)
  throw new SallyportError(
    'ERR_AUTH_FAILED',
    oauthProblem(response)?.message ?? `sign-in failed with status ${response.status}`,
    { requestId: response.requestId },
  )
}
