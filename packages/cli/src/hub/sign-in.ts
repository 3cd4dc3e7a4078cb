/**
 * Where to sign in at a hub: its metadata and its OpenID configuration.
 * @module
 */
import Type from 'typebox'
import {
  CloudMetadataSchema,
  SallyportError,
  jsonParser,
  type CloudMetadata,
} from '@sallyport/protocol'
import { readRefusal, refused, sameOrigin } from './oauth.ts'
import type { HubTransport } from './transport.ts'

const parseMetadata = jsonParser(CloudMetadataSchema, 'metadata of the hub', 'ERR_HUB_UNREACHABLE')

const parseConfiguration = jsonParser(
  Type.Object({
    issuer: Type.String(),
    token_endpoint: Type.String(),
    authorization_endpoint: Type.Optional(Type.String()),
    device_authorization_endpoint: Type.Optional(Type.String()),
    revocation_endpoint: Type.Optional(Type.String()),
  }),
  'OpenID configuration of the hub',
  'ERR_HUB_UNREACHABLE',
)

/** What one hub says about itself; an endpoint it does not have is left out. */
export interface SignInEndpoints {
  issuer: string
  audience: string
  tenantId: string
  tokenEndpoint: string
  authorizationEndpoint: string | undefined
  deviceEndpoint: string | undefined
  revocationEndpoint: string | undefined
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
  const own = (address: string | undefined) =>
    address === undefined ? undefined : sameOrigin(transport, address).href
  return {
    issuer: configuration.issuer,
    audience: audienceOf(metadata),
    tenantId,
    tokenEndpoint: sameOrigin(transport, configuration.token_endpoint).href,
    authorizationEndpoint: own(configuration.authorization_endpoint),
    deviceEndpoint: own(configuration.device_authorization_endpoint),
    revocationEndpoint: own(configuration.revocation_endpoint),
  }
}

function audienceOf(metadata: CloudMetadata): string {
  const [audience] = metadata.authentication.audiences
  return (audience ?? metadata.resourceManager).replace(/\/+$/, '')
}

async function get(transport: HubTransport, path: string, signal: AbortSignal): Promise<string> {
  const response = await transport.send({ method: 'GET', path, signal })
  if (response.status === 200) return response.text
  const refusal = readRefusal(response)
  if (refusal !== undefined) {
    throw refused(
      refusal,
      refusal.error === 'invalid_tenant'
        ? 'leave --tenant away, or give the tenant id the hub printed at its first start'
        : 'check client id, secret and tenant, then sign in again',
    )
  }
  throw new SallyportError('ERR_HUB_UNREACHABLE', `${transport.origin} is not a Sallyport hub`, {
    why: `it answered with status ${response.status}`,
    remedy: 'check the address given with --hub',
  })
}

/** Scopes of a person's sign-in: the hub's API, who it was, and renewal without asking again. */
export function personScopes(endpoints: SignInEndpoints): string {
  return `openid profile offline_access ${endpoints.audience}/.default`
}
