/**
 * The hub as a client of outside issuers: where a sign-in is sent, and what comes back. The protocol is `openid-client`'s: code flow
 * with PKCE, `state`, `nonce`, and the issuer in the answer (RFC 9207); what it leaves open is decided in `id-token.ts`.
 * @module
 */
import {
  AuthorizationResponseError,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  ClientSecretBasic,
  ClientSecretPost,
  clockSkew,
  clockTolerance,
  Configuration,
  customFetch,
  discovery,
  None,
  randomNonce,
  randomPKCECodeVerifier,
  type ClientAuth,
  type CustomFetch,
  type ServerMetadata,
} from 'openid-client'
import { limits, SallyportError } from '@sallyport/protocol'
import { refused } from './claims.ts'
import { readEntraPerson } from './entra-person.ts'
import { groupsOfMe } from './graph-groups.ts'
import { verifyIdToken } from './id-token.ts'
import { unreachable, type OutsideFetch } from './outside-fetch.ts'
import type { OutsideIssuer } from './outside-issuer.ts'
import { readPerson, type OutsidePerson } from './person.ts'
import type { PendingSignIn } from './pending-sign-ins.ts'
import type { RemoteKeys } from './remote-keys.ts'

/** What the hub as a client is made from. */
export interface RelyingPartyParts {
  fetch: OutsideFetch
  /** With room for `limits.graphAnswerBytes`. */
  graphFetch: OutsideFetch
  keys: RemoteKeys
  /** Our address at every issuer. */
  redirectUri: string
  clientSecretOf: (alias: string) => string | undefined
  now: () => number
}

/** A sign-in to be sent on its way. */
export type Departure = Pick<PendingSignIn, 'codeVerifier' | 'nonce'>

/** Random parts of one sign-in. */
export function makeDeparture(): Departure {
  return { codeVerifier: randomPKCECodeVerifier(), nonce: randomNonce() }
}

/** Where to send the browser. @throws SallyportError ERR_ISSUER_UNREACHABLE. */
export async function authorizationUrl(
  parts: RelyingPartyParts,
  issuer: OutsideIssuer,
  departure: Departure & { state: string },
): Promise<URL> {
  const config = await configure(parts, issuer)
  return buildAuthorizationUrl(config, {
    redirect_uri: parts.redirectUri,
    scope: issuer.scopes.join(' '),
    response_type: 'code',
    state: departure.state,
    nonce: departure.nonce,
    code_challenge: await calculatePKCECodeChallenge(departure.codeVerifier),
    code_challenge_method: 'S256',
    // Of v1.0 tokens the scopes do not say whom the access token is for.
    ...(issuer.tenant?.version === '1.0' ? { resource: issuer.tenant.graph } : {}),
  })
}

/**
 * Redeems what the browser brought back.
 * @throws SallyportError ERR_ISSUER_REFUSED, ERR_ISSUER_UNREACHABLE.
 */
export async function personOf(
  parts: RelyingPartyParts,
  issuer: OutsideIssuer,
  arrival: Departure & { state: string; query: string },
): Promise<OutsidePerson> {
  const config = await configure(parts, issuer)
  const address = new URL(`${parts.redirectUri}${arrival.query}`)
  const tokens = await redeem(config, address, arrival)
  if (tokens.id_token === undefined) throw refused('the issuer sent no ID token')
  const claims = await verifyIdToken(tokens.id_token, {
    issuer: issuer.issuer,
    clientId: issuer.clientId,
    nonce: arrival.nonce,
    keys: parts.keys.keysOf(issuer.issuer),
    now: parts.now(),
  })
  const { tenant } = issuer
  if (tenant === undefined) return readPerson(issuer, claims)
  return readEntraPerson({ ...issuer, tenant }, claims, () =>
    groupsOfMe({
      fetch: parts.graphFetch,
      graph: tenant.graph,
      accessToken: tokens.access_token,
    }),
  )
}

function redeem(config: Configuration, address: URL, arrival: Departure & { state: string }) {
  return authorizationCodeGrant(config, address, {
    pkceCodeVerifier: arrival.codeVerifier,
    expectedState: arrival.state,
    expectedNonce: arrival.nonce,
    idTokenExpected: true,
  }).catch((error: unknown) => {
    if (error instanceof SallyportError) throw error
    if (error instanceof AuthorizationResponseError) {
      const isDenied = error.error === 'access_denied'
      throw refused(isDenied ? 'it was cancelled at the issuer' : 'the issuer refused it', error)
    }
    throw refused('the issuer’s answer was not one to this sign-in', error)
  })
}

/** Endpoints of an issuer by its discovery document, only at hosts that may serve them. */
async function configure(parts: RelyingPartyParts, issuer: OutsideIssuer): Promise<Configuration> {
  const metadata = await discover(parts.fetch, issuer)
  for (const [name, address] of endpointsOf(metadata)) {
    if (!mayServe(issuer, address))
      throw unreachable(`its ${name} is at a host that is not allowed`)
  }
  const skewSeconds = Math.round((parts.now() - Date.now()) / 1000)
  const config = new Configuration(
    metadata,
    issuer.clientId,
    { [clockSkew]: skewSeconds, [clockTolerance]: limits.outsideTokenSkewMs / 1000 },
    clientAuthentication(metadata, parts.clientSecretOf(issuer.alias)),
  )
  config[customFetch] = asCustomFetch(parts.fetch)
  return config
}

/**
 * The discovery document, which has to name exactly the issuer unless `anyIssuer`, for the check that tells the difference.
 * @throws SallyportError ERR_ISSUER_UNREACHABLE.
 */
export async function discover(
  fetch: OutsideFetch,
  issuer: Pick<OutsideIssuer, 'issuer' | 'clientId'>,
  options: { anyIssuer?: boolean } = {},
): Promise<ServerMetadata> {
  const address = new URL(`${issuer.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)
  try {
    const found = await discovery(address, issuer.clientId, undefined, None(), {
      [customFetch]: asCustomFetch(fetch),
    })
    const metadata = found.serverMetadata()
    if (metadata.issuer !== issuer.issuer && options.anyIssuer !== true) {
      throw unreachable('its discovery document names another issuer')
    }
    return { ...metadata }
  } catch (error) {
    if (error instanceof SallyportError) throw error
    const { cause } = error as { cause?: unknown }
    if (cause instanceof SallyportError) throw cause
    throw unreachable('its discovery document is not one', error)
  }
}

/** The endpoints a sign-in uses, those that are missing as empty texts. */
export function endpointsOf(metadata: ServerMetadata): [string, string][] {
  return [
    ['authorization_endpoint', metadata.authorization_endpoint ?? ''],
    ['token_endpoint', metadata.token_endpoint ?? ''],
    ['jwks_uri', metadata.jwks_uri ?? ''],
  ]
}

/** Whether the address is https at a host of the issuer. */
export function mayServe(issuer: OutsideIssuer, address: string): boolean {
  const url = URL.parse(address)
  return url?.protocol === 'https:' && issuer.hosts.includes(url.hostname)
}

function clientAuthentication(metadata: ServerMetadata, secret: string | undefined): ClientAuth {
  if (secret === undefined) return None()
  const methods = metadata.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
  return methods.includes('client_secret_post')
    ? ClientSecretPost(secret)
    : ClientSecretBasic(secret)
}

function asCustomFetch(fetch: OutsideFetch): CustomFetch {
  return (url, { method, headers, body, signal }) => fetch(url, { method, headers, body, signal })
}
