/**
 * The OpenID endpoints under the paths ARM clients know: `/{tenant}/…/v2.0/…` and `/adfs/…`.
 * The provider behind them is called like a function: nothing of its paths or headers reaches the outside unless named here.
 * @module
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { inject, type Response } from 'light-my-request'
import type { Provider } from 'oidc-provider'
import { limits } from '@sallyport/protocol'
import { addressKey, createRateLimit, type RateLimit } from '../rate-limit.ts'
import { invalidClient, readTokenRequest, type OAuthError } from './token-request.ts'

/** An issuer and its provider. */
export interface Issuer {
  issuer: string
  provider: Provider
  paths: { token: string; jwks: string; authorization: string }
}

/** What the endpoints are made from. */
export interface OpenIdEndpointParts {
  publicUrl: string
  tenantId: string
  /** Issuer of the tenant, also for `common` and `organizations`. */
  tenant: Issuer
  /** Issuer under `/adfs`. */
  adfs: Issuer
  /** Called once for each answer of the token endpoint. */
  onTokenAnswer: (result: 'issued' | 'refused' | 'limited') => void
  now: () => number
}

/** Issuer and paths of the tenant. */
export function tenantIssuer(publicUrl: string, tenantId: string): Omit<Issuer, 'provider'> {
  return {
    issuer: `${publicUrl}/${tenantId}/v2.0`,
    paths: {
      token: `/${tenantId}/oauth2/v2.0/token`,
      jwks: `/${tenantId}/discovery/v2.0/keys`,
      authorization: `/${tenantId}/oauth2/v2.0/authorize`,
    },
  }
}

/** Issuer and paths under `/adfs`, where the Azure CLI expects no tenant. */
export function adfsIssuer(publicUrl: string): Omit<Issuer, 'provider'> {
  return {
    issuer: `${publicUrl}/adfs`,
    paths: {
      token: '/adfs/oauth2/token',
      jwks: '/adfs/discovery/keys',
      authorization: '/adfs/oauth2/authorize',
    },
  }
}

interface TenantRoute {
  Params: { tenant: string }
}

/** Serves discovery, keys and token. */
export async function registerOpenIdEndpoints(
  app: FastifyInstance,
  parts: OpenIdEndpointParts,
): Promise<void> {
  const rate = { keys: limits.tokenRateKeys, now: parts.now }
  const perAddress = createRateLimit({
    ...rate,
    perMinute: limits.tokenRequestsPerMinutePerAddress,
  })
  const perClient = createRateLimit({ ...rate, perMinute: limits.tokenRequestsPerMinutePerClient })
  await app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string', bodyLimit: limits.tokenRequestBodyBytes },
      (_request, body, parsed) => {
        parsed(null, new URLSearchParams(body as string))
      },
    )
    registerDocuments(scope, parts)
    const token = tokenHandler(parts, { perAddress, perClient })
    scope.post<TenantRoute>('/:tenant/oauth2/v2.0/token', token)
    scope.post<TenantRoute>('/:tenant/oauth2/token', token)
    done()
  })
}

function registerDocuments(scope: FastifyInstance, parts: OpenIdEndpointParts): void {
  const get = (paths: string[], inner: (issuer: Issuer) => string): void => {
    for (const path of paths) {
      scope.get<TenantRoute>(path, async (request, reply) => {
        const issuer = issuerOf(parts, request.params.tenant)
        if (issuer === undefined) return sendOAuthError(reply, unknownTenant)
        const answer = await call(parts, issuer, { method: 'GET', url: inner(issuer) })
        return forward(reply, answer).header('access-control-allow-origin', '*')
      })
    }
  }
  get(
    ['/:tenant/v2.0/.well-known/openid-configuration', '/:tenant/.well-known/openid-configuration'],
    () => '/.well-known/openid-configuration',
  )
  get(['/:tenant/discovery/v2.0/keys', '/:tenant/discovery/keys'], (issuer) => issuer.paths.jwks)
  for (const path of ['/:tenant/oauth2/v2.0/authorize', '/:tenant/oauth2/authorize']) {
    scope.get<TenantRoute>(path, (_request, reply) => sendOAuthError(reply, noInteractiveSignIn))
  }
}

const unknownTenant: OAuthError = {
  status: 400,
  error: 'invalid_tenant',
  description: 'this hub has no tenant of that name',
}

const noInteractiveSignIn: OAuthError = {
  status: 400,
  error: 'unsupported_response_type',
  description: 'this hub does not offer interactive sign-in; use client credentials',
}

function issuerOf(parts: OpenIdEndpointParts, tenant: string): Issuer | undefined {
  const name = tenant.toLowerCase()
  if (name === 'adfs') return parts.adfs
  const known = [parts.tenantId, 'common', 'organizations']
  return known.includes(name) ? parts.tenant : undefined
}

function tokenHandler(
  parts: OpenIdEndpointParts,
  limit: { perAddress: RateLimit; perClient: RateLimit },
) {
  return async (
    request: FastifyRequest<TenantRoute>,
    reply: FastifyReply,
  ): Promise<FastifyReply> => {
    const refuse = (error: OAuthError): FastifyReply => {
      parts.onTokenAnswer('refused')
      return sendOAuthError(reply, error)
    }
    const issuer = issuerOf(parts, request.params.tenant)
    if (issuer === undefined) return refuse(unknownTenant)
    const busy = limit.perAddress.take(addressKey(request.ip))
    if (busy !== undefined) return sendLimited(parts, reply, busy)
    if (!(request.body instanceof URLSearchParams)) return refuse(notAForm)
    const read = readTokenRequest(request.body, request.headers.authorization, parts.publicUrl)
    if ('error' in read) return refuse(read)
    const clientBusy = limit.perClient.take(read.clientId)
    if (clientBusy !== undefined) return sendLimited(parts, reply, clientBusy)
    const answer = await call(parts, issuer, {
      method: 'POST',
      url: issuer.paths.token,
      body: read.form.toString(),
      authorization: read.authorization,
    })
    if (answer.statusCode === 401) return refuse(invalidClient())
    if (answer.statusCode !== 200) {
      parts.onTokenAnswer('refused')
      return forward(reply, answer)
    }
    parts.onTokenAnswer('issued')
    const issued = answer.json<Record<string, unknown>>()
    return noStore(reply).send({
      ...issued,
      scope: read.scope,
      ext_expires_in: issued['expires_in'],
    })
  }
}

const notAForm: OAuthError = {
  status: 400,
  error: 'invalid_request',
  description: 'send a form: content-type application/x-www-form-urlencoded',
}

function sendLimited(
  parts: OpenIdEndpointParts,
  reply: FastifyReply,
  seconds: number,
): FastifyReply {
  parts.onTokenAnswer('limited')
  return sendOAuthError(reply.header('retry-after', seconds), {
    status: 429,
    error: 'temporarily_unavailable',
    description: `too many token requests; try again in ${seconds} s`,
  })
}

function sendOAuthError(reply: FastifyReply, error: OAuthError): FastifyReply {
  if (error.status === 401) reply.header('www-authenticate', 'Basic realm="sallyport"')
  return noStore(reply)
    .code(error.status)
    .send({ error: error.error, error_description: error.description })
}

function noStore(reply: FastifyReply): FastifyReply {
  return reply.header('cache-control', 'no-store').header('pragma', 'no-cache')
}

interface InnerRequest {
  method: 'GET' | 'POST'
  url: string
  body?: string
  authorization?: string | undefined
}

/** Calls the provider in this process, with the host name of `publicUrl`, whatever `Host` the client sent. */
function call(parts: OpenIdEndpointParts, issuer: Issuer, inner: InnerRequest): Promise<Response> {
  const handle = issuer.provider.callback()
  return inject((request, response) => void handle(request, response), {
    method: inner.method,
    url: inner.url,
    authority: new URL(parts.publicUrl).host,
    headers: {
      accept: 'application/json',
      'x-forwarded-proto': 'https',
      ...(inner.authorization === undefined ? {} : { authorization: inner.authorization }),
      ...(inner.body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
    },
    ...(inner.body === undefined ? {} : { payload: inner.body }),
  })
}

/** Hands on status, body and caching of an inner answer. */
function forward(reply: FastifyReply, answer: Response): FastifyReply {
  const caching = answer.headers['cache-control']
  if (typeof caching === 'string') reply.header('cache-control', caching)
  return reply.code(answer.statusCode).type('application/json; charset=utf-8').send(answer.payload)
}
