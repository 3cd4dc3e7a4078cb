/**
 * The token request as ARM clients send it, turned into the one the OpenID provider reads.
 * Telemetry fields and `claims` of MSAL are left behind.
 * @module
 */
import { isOurResource } from '../access-token.ts'
import { assertionType } from './client-assertion.ts'
import { deviceCodeGrant } from './clients.ts'

/** An OAuth error answer (RFC 6749 section 5.2). */
export interface OAuthError {
  status: number
  error: string
  description: string
}

/** A request the provider can answer. */
export interface TokenRequest {
  /** Null when only the assertion names the client. */
  clientId: string | null
  /** Form for the provider, complete but for what `assertion` proves. */
  form: URLSearchParams
  /** `Authorization` header for the provider, when the client used one. */
  authorization: string | undefined
  /** A signed assertion in place of a secret, still to be checked. */
  assertion?: string
  /** What to answer as `scope`. */
  scope: string
}

/** Client id and secret may not be longer. */
const maxCredentialLength = 512

/** Scopes of OpenID Connect that every MSAL adds. */
const openIdScopes = new Set(['openid', 'profile', 'offline_access', 'email'])

/** What each grant of a person takes from the form; all of it but redirect and verifier is a secret the provider made. */
const personGrants: Readonly<Record<string, readonly string[]>> = {
  authorization_code: ['code', 'redirect_uri', 'code_verifier'],
  refresh_token: ['refresh_token'],
  [deviceCodeGrant]: ['device_code'],
}

/** Parameters that count, and so may be given once only. */
const single = new Set([
  ...['grant_type', 'client_id', 'client_secret', 'client_assertion', 'client_assertion_type'],
  ...['scope', 'resource', 'code', 'redirect_uri', 'code_verifier', 'refresh_token', 'device_code'],
])

/** Secrets the provider made look like this; nothing else reaches the store. */
const opaque = /^[A-Za-z0-9_-]{16,128}$/

/** Reads a form and header; never says which part of the credentials was wrong. */
export function readTokenRequest(
  form: URLSearchParams,
  authorization: string | undefined,
  publicUrl: string,
): TokenRequest | OAuthError {
  for (const name of new Set(form.keys())) {
    if (form.getAll(name).length > 1 && single.has(name)) {
      return invalidRequest(`'${name}' is given more than once`)
    }
  }
  const asked = form.get('grant_type')
  if (asked === null) return invalidRequest("missing 'grant_type'")
  // MSAL for JavaScript shortens the name of RFC 8628.
  const grantType = asked === 'device_code' ? deviceCodeGrant : asked
  const scope = readScope(form, publicUrl)
  if (typeof scope !== 'string') return scope
  const inner = new URLSearchParams({ grant_type: grantType, resource: publicUrl })
  if (grantType === 'client_credentials') {
    return readApplication(form, authorization, { inner, scope: resourcesOnly(scope, publicUrl) })
  }
  const fields = Object.hasOwn(personGrants, grantType) ? personGrants[grantType] : undefined
  if (fields === undefined) {
    return {
      status: 400,
      error: 'unsupported_grant_type',
      description: `this hub grants client_credentials, ${Object.keys(personGrants).join(', ')}`,
    }
  }
  return readPerson(form, authorization, { inner, fields, scope })
}

function readApplication(
  form: URLSearchParams,
  authorization: string | undefined,
  { inner, scope }: { inner: URLSearchParams; scope: string },
): TokenRequest | OAuthError {
  const assertion = form.get('client_assertion')
  if (assertion !== null) {
    const isOnlyProof = authorization === undefined && form.get('client_secret') === null
    if (!isOnlyProof || form.get('client_assertion_type') !== assertionType) return invalidClient()
    const clientId = form.get('client_id')
    if (clientId !== null && !isCredential(clientId)) return invalidClient()
    return { clientId, form: inner, authorization: undefined, assertion, scope }
  }
  const [clientId, secret] =
    authorization === undefined
      ? [form.get('client_id'), form.get('client_secret')]
      : readBasic(authorization)
  if (!isCredential(clientId) || !isCredential(secret)) return invalidClient()
  if (authorization === undefined) {
    inner.set('client_id', clientId)
    inner.set('client_secret', secret)
  }
  return { clientId, form: inner, authorization, scope }
}

/** People sign in with public clients: a client id and no secret. */
function readPerson(
  form: URLSearchParams,
  authorization: string | undefined,
  { inner, fields, scope }: { inner: URLSearchParams; fields: readonly string[]; scope: string },
): TokenRequest | OAuthError {
  const clientId = form.get('client_id')
  const hasSecret = ['client_secret', 'client_assertion'].some((name) => form.has(name))
  if (!isCredential(clientId) || authorization !== undefined || hasSecret) return invalidClient()
  inner.set('client_id', clientId)
  for (const name of fields) {
    // The Azure CLI sends a device code under both names.
    const value = form.get(name) ?? (name === 'device_code' ? form.get('code') : null)
    if (value === null) return invalidRequest(`missing '${name}'`)
    if (name !== 'redirect_uri' && !opaque.test(value)) {
      return { status: 400, error: 'invalid_grant', description: 'grant request is invalid' }
    }
    inner.set(name, value)
  }
  return { clientId, form: inner, authorization: undefined, scope }
}

function isCredential(value: string | null): value is string {
  return value !== null && value !== '' && value.length <= maxCredentialLength
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

/** What was asked for, when all of it is ours to give: `<resource>/.default` and scopes of OpenID Connect. */
export function readScope(form: URLSearchParams, publicUrl: string): string | OAuthError {
  const asked = (form.get('scope') ?? '').split(' ').filter((scope) => scope !== '')
  const resources = asked.filter((scope) => !openIdScopes.has(scope))
  for (const scope of resources) {
    // `<resource>/.default`, also with the resource's own trailing slash kept: `<resource>//.default`.
    const name = scope.endsWith('/.default') ? scope.slice(0, -'/.default'.length) : undefined
    if (name === undefined || !isOurResource(name, publicUrl)) return unknownResource(publicUrl)
  }
  const resource = form.get('resource')
  if (resource !== null && !isOurResource(resource, publicUrl)) return unknownResource(publicUrl)
  const openId = asked.filter((scope) => openIdScopes.has(scope))
  return [...(resources.length === 0 ? [`${publicUrl}/.default`] : resources), ...openId].join(' ')
}

/** An application has no id token and no refresh token, so the scopes for them say nothing. */
function resourcesOnly(scope: string, publicUrl: string): string {
  const resources = scope.split(' ').filter((name) => !openIdScopes.has(name))
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

/** The answer for every wrong client id, secret, assertion, or lack of them. */
export function invalidClient(): OAuthError {
  return { status: 401, error: 'invalid_client', description: 'client authentication failed' }
}
