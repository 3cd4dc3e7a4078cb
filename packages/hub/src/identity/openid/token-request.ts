/**
 * The token request as ARM clients send it, turned into the one the OpenID provider reads.
 * Telemetry fields, `claims` and `client_info` of MSAL are left behind.
 * @module
 */
import { isOurResource } from '../access-token.ts'

/** An OAuth error answer (RFC 6749 section 5.2). */
export interface OAuthError {
  status: number
  error: string
  description: string
}

/** A request the provider can answer. */
export interface TokenRequest {
  clientId: string
  /** Form for the provider. */
  form: URLSearchParams
  /** `Authorization` header for the provider, when the client used one. */
  authorization: string | undefined
  /** What to answer as `scope`. */
  scope: string
}

/** Client id and secret may not be longer. */
const maxCredentialLength = 512

/** Scopes of OpenID Connect that every MSAL adds; without meaning for a grant without a user. */
const ignoredScopes = new Set(['openid', 'profile', 'offline_access', 'email'])

/** Reads a form and header; never says which part of the credentials was wrong. */
export function readTokenRequest(
  form: URLSearchParams,
  authorization: string | undefined,
  publicUrl: string,
): TokenRequest | OAuthError {
  for (const name of new Set(form.keys())) {
    if (form.getAll(name).length > 1 && forwarded.has(name)) {
      return invalidRequest(`'${name}' is given more than once`)
    }
  }
  const grantType = form.get('grant_type')
  if (grantType === null) return invalidRequest("missing 'grant_type'")
  if (grantType !== 'client_credentials') {
    return {
      status: 400,
      error: 'unsupported_grant_type',
      description: 'this hub grants client_credentials',
    }
  }
  const credentials = readCredentials(form, authorization)
  if (credentials === undefined) return invalidClient()
  const scope = readScope(form, publicUrl)
  if (typeof scope !== 'string') return scope
  const inner = new URLSearchParams({ grant_type: grantType, resource: publicUrl })
  if (authorization === undefined) {
    inner.set('client_id', credentials.clientId)
    inner.set('client_secret', credentials.secret)
  }
  return { clientId: credentials.clientId, form: inner, authorization, scope }
}

const forwarded = new Set(['grant_type', 'client_id', 'client_secret', 'scope', 'resource'])

function readCredentials(
  form: URLSearchParams,
  authorization: string | undefined,
): { clientId: string; secret: string } | undefined {
  const [clientId, secret] =
    authorization === undefined
      ? [form.get('client_id'), form.get('client_secret')]
      : readBasic(authorization)
  if (clientId === null || clientId === '' || secret === null || secret === '') return undefined
  if (clientId.length > maxCredentialLength || secret.length > maxCredentialLength) return undefined
  return { clientId, secret }
}

function readBasic(authorization: string): [string | null, string | null] {
  const [, encoded = ''] = /^Basic +([A-Za-z0-9+/]+=*)$/i.exec(authorization) ?? []
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (colon === -1) return [null, null]
  try {
    const [id = '', secret = ''] = [text.slice(0, colon), text.slice(colon + 1)].map((part) =>
      decodeURIComponent(part.replaceAll('+', '%20')),
    )
    return [id, secret]
  } catch {
    return [null, null]
  }
}

function readScope(form: URLSearchParams, publicUrl: string): string | OAuthError {
  const asked = (form.get('scope') ?? '').split(' ').filter((scope) => scope !== '')
  const resources = asked.filter((scope) => !ignoredScopes.has(scope))
  for (const scope of resources) {
    // `<resource>/.default`, also with the resource's own trailing slash kept: `<resource>//.default`.
    const name = scope.endsWith('/.default') ? scope.slice(0, -'/.default'.length) : undefined
    if (name === undefined || !isOurResource(name, publicUrl)) return unknownResource(publicUrl)
  }
  const resource = form.get('resource')
  if (resource !== null && !isOurResource(resource, publicUrl)) return unknownResource(publicUrl)
  return resources.length === 0 ? `${publicUrl}/.default` : resources.join(' ')
}

function unknownResource(publicUrl: string): OAuthError {
  return {
    status: 400,
    error: 'invalid_scope',
    description: `this hub issues tokens for the scope ${publicUrl}/.default`,
  }
}

function invalidRequest(description: string): OAuthError {
  return { status: 400, error: 'invalid_request', description }
}

/** The answer for every wrong client id, secret, or lack of them. */
export function invalidClient(): OAuthError {
  return { status: 401, error: 'invalid_client', description: 'client authentication failed' }
}
