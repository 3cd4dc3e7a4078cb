/**
 * What every request of a browser passes before the provider hears of it: a known issuer, a rate, the same origin for forms.
 * @module
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { limits } from '@sallyport/protocol'
import { addressKey, createRateLimit } from '../rate-limit.ts'
import { errorPage, postBackPage } from '../sign-in/provider-pages.ts'
import { isSameOrigin } from '../sign-in/same-origin.ts'
import { sendPage } from '../sign-in/sign-in-routes.ts'
import { callProvider, forwardPage, type InnerRequest } from './inner-call.ts'
import { issuerOf, type Issuer } from './issuer.ts'
import { unknownTenant } from './oauth-answer.ts'
import type { OAuthError } from './token-request.ts'

/** What the gate is made from. */
export interface PageGateParts {
  publicUrl: string
  tenantId: string
  tenant: Issuer
  adfs: Issuer
  now: () => number
}

/** One request of a browser, about one issuer. */
export interface PageExchange {
  request: FastifyRequest
  reply: FastifyReply
  issuer: Issuer
}

/** A route handler for exchanges that passed. */
export type PageHandler = (exchange: PageExchange) => Promise<FastifyReply>

/** The gate, and what is done behind it. */
export interface PageGate {
  /** For routes with `:tenant`. */
  ofTenant: (
    handler: PageHandler,
  ) => (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>
  /** For routes that are one for all issuers. */
  ofHub: (
    handler: PageHandler,
  ) => (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>
  refuse: (reply: FastifyReply, error: OAuthError) => FastifyReply
  /** Asks the provider and hands its page or redirect on. */
  forward: (exchange: PageExchange, inner: Omit<InnerRequest, 'browser'>) => Promise<FastifyReply>
}

/** Makes the gate. */
export function createPageGate(parts: PageGateParts): PageGate {
  const host = new URL(parts.publicUrl).host
  const rate = createRateLimit({
    keys: limits.tokenRateKeys,
    now: parts.now,
    perMinute: limits.signInPagesPerMinutePerAddress,
  })
  const refuse = (reply: FastifyReply, error: OAuthError): FastifyReply =>
    sendPage(reply.code(error.status), errorPage(host, error))
  const pass = async (
    { request, reply }: { request: FastifyRequest; reply: FastifyReply },
    issuer: Issuer | undefined,
    handler: PageHandler,
  ): Promise<FastifyReply> => {
    if (issuer === undefined) return refuse(reply, unknownTenant)
    const wait = rate.take(addressKey(request.ip))
    if (wait !== undefined) return refuse(reply.header('retry-after', wait), tooManyPages(wait))
    if (request.method === 'POST' && !isSameOrigin(request, parts.publicUrl)) {
      return refuse(reply, foreignForm)
    }
    return handler({ request, reply, issuer })
  }
  return {
    refuse,
    ofTenant: (handler) => (request, reply) => {
      const { tenant } = request.params as { tenant: string }
      return pass({ request, reply }, issuerOf(parts, tenant), handler)
    },
    ofHub: (handler) => (request, reply) => pass({ request, reply }, parts.tenant, handler),
    forward: async ({ request, reply, issuer }, inner) => {
      const call = { ...inner, browser: request }
      const answer = await callProvider(parts.publicUrl, issuer, call)
      return forwardPage(reply, answer, (text) => withoutScript(host, text))
    },
  }
}

const foreignForm: OAuthError = {
  status: 403,
  error: 'access_denied',
  description: 'this form was not sent from a page of this hub',
}

function tooManyPages(seconds: number): OAuthError {
  return {
    status: 429,
    error: 'temporarily_unavailable',
    description: `too many attempts from your address; try again in ${seconds} s`,
  }
}

/** The form of a request; an empty one when it has none. */
export function formOf(request: FastifyRequest): URLSearchParams {
  return request.body instanceof URLSearchParams ? request.body : new URLSearchParams()
}

/** The query of a request, with each parameter as often as it was given. */
export function queryOf(request: FastifyRequest): URLSearchParams {
  return new URL(request.raw.url ?? '', 'https://hub').searchParams
}

const postingPage =
  /<form method="post" action="([^"]+)">\s*((?:<input type="hidden" name="[^"]+" value="[^"]*"\/>\s*)+)/

/** `response_mode=form_post`: the provider's page posts itself by a script; ours asks for a click. */
function withoutScript(host: string, text: string): string {
  const [, action, inputs] = postingPage.exec(text) ?? []
  return action === undefined || inputs === undefined ? text : postBackPage(host, action, inputs)
}
