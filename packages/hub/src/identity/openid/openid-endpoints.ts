/**
 * The OpenID endpoints under the paths ARM clients know: `/{tenant}/…/v2.0/…` and `/adfs/…`.
 * The provider behind them is called like a function: nothing of its paths or headers reaches the outside unless named.
 * @module
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Response } from 'light-my-request'
import { limits } from '@sallyport/protocol'
import { addressKey, createRateLimit } from '../rate-limit.ts'
import { registerSignInRoutes, type SignInParts } from '../sign-in/sign-in-routes.ts'
import { registerBrowserEndpoints, type BrowserEndpointParts } from './browser-endpoints.ts'
import { assertionAlgorithms } from './client-assertion.ts'
import { registerDeviceEndpoints } from './device-endpoints.ts'
import { callProvider, forwardJson } from './inner-call.ts'
import { issuerOf, type Issuer } from './issuer.ts'
import { notAForm, sendOAuthError, tooMany, unknownTenant } from './oauth-answer.ts'
import { createPageGate } from './page-gate.ts'
import {
  registerTokenEndpoint,
  type TenantRoute,
  type TokenEndpointParts,
} from './token-endpoint.ts'

/** What the endpoints are made from. */
export type OpenIdEndpointParts = TokenEndpointParts &
  BrowserEndpointParts &
  Pick<SignInParts, 'listSignInOptions' | 'onSignIn'>

/** Serves discovery, keys, token, device codes, revocation, and the pages of sign-in and sign-out. */
export async function registerOpenIdEndpoints(
  app: FastifyInstance,
  parts: OpenIdEndpointParts,
): Promise<void> {
  await app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string', bodyLimit: limits.tokenRequestBodyBytes },
      (_request, body, parsed) => {
        parsed(null, new URLSearchParams(body as string))
      },
    )
    const gate = createPageGate(parts)
    registerDocuments(scope, parts)
    registerTokenEndpoint(scope, parts)
    registerRevocation(scope, parts)
    registerDeviceEndpoints(scope, parts, gate)
    registerBrowserEndpoints(scope, parts, gate)
    registerSignInRoutes(scope, { ...parts, provider: parts.tenant.provider })
    done()
  })
}

/** The provider's document, and what this façade can besides: clients that prove themselves by an assertion. */
function discovery(document: Record<string, unknown>): Record<string, unknown> {
  const methods = document['token_endpoint_auth_methods_supported'] as string[]
  return {
    ...document,
    token_endpoint_auth_methods_supported: [...methods, 'private_key_jwt'],
    token_endpoint_auth_signing_alg_values_supported: [...assertionAlgorithms],
  }
}

function registerDocuments(scope: FastifyInstance, parts: OpenIdEndpointParts): void {
  const get = (
    paths: string[],
    inner: (issuer: Issuer) => string,
    send: (reply: FastifyReply, answer: Response) => FastifyReply,
  ): void => {
    for (const path of paths) {
      scope.get<TenantRoute>(path, async (request, reply) => {
        const issuer = issuerOf(parts, request.params.tenant)
        if (issuer === undefined) return sendOAuthError(reply, unknownTenant)
        const call = { method: 'GET', url: inner(issuer) } as const
        const answer = await callProvider(parts.publicUrl, issuer, call)
        return send(reply.header('access-control-allow-origin', '*'), answer)
      })
    }
  }
  get(
    ['/:tenant/v2.0/.well-known/openid-configuration', '/:tenant/.well-known/openid-configuration'],
    () => '/.well-known/openid-configuration',
    (reply, answer) => reply.send(discovery(answer.json())),
  )
  get(
    ['/:tenant/discovery/v2.0/keys', '/:tenant/discovery/keys'],
    (issuer) => issuer.paths.jwks,
    forwardJson,
  )
}

/** Token revocation (RFC 7009) for public clients: a refresh token ends its whole sign-in. */
function registerRevocation(scope: FastifyInstance, parts: OpenIdEndpointParts): void {
  const rate = createRateLimit({
    keys: limits.tokenRateKeys,
    now: parts.now,
    perMinute: limits.tokenRequestsPerMinutePerAddress,
  })
  const revoke = async (
    request: FastifyRequest<TenantRoute>,
    reply: FastifyReply,
  ): Promise<FastifyReply> => {
    const issuer = issuerOf(parts, request.params.tenant)
    if (issuer === undefined) return sendOAuthError(reply, unknownTenant)
    const wait = rate.take(addressKey(request.ip))
    if (wait !== undefined) return sendOAuthError(reply.header('retry-after', wait), tooMany(wait))
    if (!(request.body instanceof URLSearchParams)) return sendOAuthError(reply, notAForm)
    const form = new URLSearchParams()
    for (const name of ['token', 'token_type_hint', 'client_id']) {
      for (const value of request.body.getAll(name)) form.append(name, value)
    }
    // Stored names are never tokens; see the adapter.
    if ((form.get('token') ?? '').includes(':')) form.set('token', 'x')
    const answer = await callProvider(parts.publicUrl, issuer, {
      method: 'POST',
      url: issuer.paths.revocation,
      form,
    })
    return forwardJson(reply, answer)
  }
  scope.post<TenantRoute>('/:tenant/oauth2/v2.0/revoke', revoke)
  scope.post<TenantRoute>('/:tenant/oauth2/revoke', revoke)
}
