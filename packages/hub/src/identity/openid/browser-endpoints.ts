/**
 * The endpoints a browser is sent to: authorization and sign-out. The provider answers; cookies and redirects go through.
 * @module
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { signedOutPage } from '../sign-in/provider-pages.ts'
import { sendPage } from '../sign-in/sign-in-routes.ts'
import type { Store } from '../../store/store.ts'
import { callProvider, forwardPage } from './inner-call.ts'
import type { Issuer } from './issuer.ts'
import {
  formOf,
  queryOf,
  type PageGate,
  type PageGateParts,
  type PageHandler,
} from './page-gate.ts'
import { endSignIn } from './sign-ins.ts'
import { readScope } from './token-request.ts'

/** What the endpoints are made from. */
export interface BrowserEndpointParts extends PageGateParts {
  store: Store
  /** Wakes the feed. */
  onChange: () => void
}

/** Parameters of an authorization request that count; `claims`, telemetry and hints about Microsoft's own pages do not. */
const authorizationParameters = [
  ...['client_id', 'response_type', 'redirect_uri', 'state', 'nonce', 'code_challenge'],
  ...['code_challenge_method', 'login_hint', 'max_age', 'id_token_hint'],
]

/** Adds the endpoints; `scope` reads forms into URLSearchParams. */
export function registerBrowserEndpoints(
  scope: FastifyInstance,
  parts: BrowserEndpointParts,
  gate: PageGate,
): void {
  const host = new URL(parts.publicUrl).host
  for (const version of ['/v2.0', '']) {
    const base = `/:tenant/oauth2${version}`
    scope.get(`${base}/authorize`, gate.ofTenant(authorize(parts, gate)))
    scope.get(`${base}/authorize/:uid`, gate.ofTenant(resume(gate)))
    scope.get(`${base}/logout`, gate.ofTenant(logout(parts, gate)))
    scope.post(`${base}/logout/confirm`, gate.ofTenant(confirmLogout(parts)))
    scope.get(`${base}/logout/success`, (_request, reply) => sendPage(reply, signedOutPage(host)))
  }
}

function authorize(parts: BrowserEndpointParts, gate: PageGate): PageHandler {
  return async (exchange) => {
    const asked = queryOf(exchange.request)
    const scope = readScope(asked, parts.publicUrl)
    if (typeof scope !== 'string') return gate.refuse(exchange.reply, scope)
    const inner = new URLSearchParams({ scope: 'openid profile', resource: parts.publicUrl })
    for (const name of authorizationParameters) {
      for (const value of asked.getAll(name)) inner.append(name, value)
    }
    // Choosing an account is signing in: the page always offers another one.
    const prompt = asked.get('prompt')
    if (prompt === 'none') inner.set('prompt', prompt)
    else if (prompt === 'login' || prompt === 'select_account') inner.set('prompt', 'login')
    const mode = asked.get('response_mode')
    if (mode !== null) inner.set('response_mode', mode)
    const url = `${exchange.issuer.paths.authorization}?${inner.toString()}`
    return gate.forward(exchange, { method: 'GET', url })
  }
}

function resume(gate: PageGate): PageHandler {
  return (exchange) => {
    const { uid } = exchange.request.params as { uid: string }
    const url = `${exchange.issuer.paths.authorization}/${encodeURIComponent(uid)}`
    return gate.forward(exchange, { method: 'GET', url })
  }
}

/** The provider's session of this browser; a new empty one when there is none. */
function sessionOf(issuer: Issuer, request: FastifyRequest, reply: FastifyReply) {
  const provider = issuer.provider()
  return provider.Session.get(provider.createContext(request.raw, reply.raw))
}

function logout(parts: BrowserEndpointParts, gate: PageGate): PageHandler {
  return async (exchange) => {
    const { request, reply, issuer } = exchange
    const session = await sessionOf(issuer, request, reply)
    if (session.accountId === undefined) {
      return sendPage(reply, signedOutPage(new URL(parts.publicUrl).host))
    }
    const asked = queryOf(request)
    const inner = new URLSearchParams()
    for (const name of ['id_token_hint', 'post_logout_redirect_uri', 'state', 'client_id']) {
      for (const value of asked.getAll(name)) inner.append(name, value)
    }
    const url = `${issuer.paths.end_session}?${inner.toString()}`
    return gate.forward(exchange, { method: 'GET', url })
  }
}

/** Sign-out ends the browser's session and the sign-ins that were made through it. */
function confirmLogout(parts: BrowserEndpointParts): PageHandler {
  return async ({ request, reply, issuer }) => {
    const { authorizations = {} } = await sessionOf(issuer, request, reply)
    const answer = await callProvider(parts.publicUrl, issuer, {
      method: 'POST',
      url: `${issuer.paths.end_session}/confirm`,
      form: formOf(request),
      browser: request,
    })
    if (answer.statusCode === 303) {
      for (const { grantId } of Object.values(authorizations)) {
        if (grantId !== undefined) await endSignIn(parts.store, { id: grantId, now: parts.now() })
      }
      parts.onChange()
    }
    return forwardPage(reply, answer)
  }
}
