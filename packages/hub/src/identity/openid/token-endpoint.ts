/**
 * The token endpoint: limits, proof of the client, the provider's answer with what MSAL wants beside it.
 * @module
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { decodeJwt } from 'jose'
import type { Response } from 'light-my-request'
import { limits, SallyportError } from '@sallyport/protocol'
import { addressKey, createRateLimit, type RateLimit } from '../rate-limit.ts'
import { checkClientAssertion, type AssertionParts } from './client-assertion.ts'
import type { ClientTickets } from './client-tickets.ts'
import { callProvider, forwardJson } from './inner-call.ts'
import { issuerOf, type Issuer } from './issuer.ts'
import { noStore, notAForm, sendOAuthError, tooMany, unknownTenant } from './oauth-answer.ts'
import {
  invalidClient,
  readTokenRequest,
  type OAuthError,
  type TokenRequest,
} from './token-request.ts'

/** What the endpoint is made from. */
export interface TokenEndpointParts extends AssertionParts {
  publicUrl: string
  tenantId: string
  tenant: Issuer
  adfs: Issuer
  tickets: ClientTickets
  /** Called once for each answer. */
  onTokenAnswer: (result: 'issued' | 'refused' | 'limited') => void
}

/** A route under a tenant. */
export interface TenantRoute {
  Params: { tenant: string }
}

/** Adds the endpoint; `scope` reads forms into URLSearchParams. */
export function registerTokenEndpoint(scope: FastifyInstance, parts: TokenEndpointParts): void {
  const rate = { keys: limits.tokenRateKeys, now: parts.now }
  const rates = {
    address: createRateLimit({ ...rate, perMinute: limits.tokenRequestsPerMinutePerAddress }),
    client: createRateLimit({ ...rate, perMinute: limits.tokenRequestsPerMinutePerClient }),
  }
  const handle = (request: FastifyRequest<TenantRoute>, reply: FastifyReply) =>
    answerToken(parts, rates, { request, reply })
  scope.post<TenantRoute>('/:tenant/oauth2/v2.0/token', handle)
  scope.post<TenantRoute>('/:tenant/oauth2/token', handle)
}

async function answerToken(
  parts: TokenEndpointParts,
  rates: { address: RateLimit; client: RateLimit },
  { request, reply }: { request: FastifyRequest<TenantRoute>; reply: FastifyReply },
): Promise<FastifyReply> {
  const refuse = (error: OAuthError): FastifyReply => {
    parts.onTokenAnswer('refused')
    return sendOAuthError(reply, error)
  }
  const limited = (seconds: number): FastifyReply => {
    parts.onTokenAnswer('limited')
    return sendOAuthError(reply.header('retry-after', seconds), tooMany(seconds))
  }
  const issuer = issuerOf(parts, request.params.tenant)
  if (issuer === undefined) return refuse(unknownTenant)
  const busy = rates.address.take(addressKey(request.ip))
  if (busy !== undefined) return limited(busy)
  if (!(request.body instanceof URLSearchParams)) return refuse(notAForm)
  const read = readTokenRequest(request.body, request.headers.authorization, parts.publicUrl)
  if ('error' in read) return refuse(read)
  const clientBusy = read.clientId === null ? undefined : rates.client.take(read.clientId)
  if (clientBusy !== undefined) return limited(clientBusy)
  const answer = await askProvider(parts, issuer, read)
  if ('error' in answer) return refuse(answer)
  if (answer.statusCode === 401) return refuse(invalidClient())
  if (answer.statusCode !== 200) {
    parts.onTokenAnswer('refused')
    return forwardJson(reply, answer)
  }
  parts.onTokenAnswer('issued')
  return noStore(reply).send(dressed(parts, answer.json<Record<string, unknown>>(), read.scope))
}

async function askProvider(
  parts: TokenEndpointParts,
  issuer: Issuer,
  read: TokenRequest,
): Promise<Response | OAuthError> {
  const ask = (form: URLSearchParams): Promise<Response> =>
    callProvider(parts.publicUrl, issuer, {
      method: 'POST',
      url: issuer.paths.token,
      form,
      authorization: read.authorization,
    })
  if (read.assertion === undefined) return ask(read.form)
  try {
    const clientId = await checkClientAssertion(parts, {
      clientId: read.clientId,
      assertion: read.assertion,
      audiences: assertionAudiences(parts, issuer),
    })
    if (clientId === undefined) return invalidClient()
    return await parts.tickets.lend(clientId, (ticket) => {
      read.form.set('client_id', clientId)
      read.form.set('client_secret', ticket)
      return ask(read.form)
    })
  } catch (error) {
    if (!(error instanceof SallyportError)) throw error
    const { status } = error.entry
    const why = error.why === undefined ? '' : `: ${error.why}`
    return { status, error: 'temporarily_unavailable', description: error.message + why }
  }
}

/** What an assertion may name as its audience: this endpoint under each of its names, or the issuer. */
function assertionAudiences(parts: TokenEndpointParts, issuer: Issuer): string[] {
  const paths = [issuer.paths.token]
  if (issuer === parts.tenant) {
    for (const name of [parts.tenantId, 'common', 'organizations']) {
      paths.push(`/${name}/oauth2/v2.0/token`, `/${name}/oauth2/token`)
    }
  }
  return [issuer.issuer, ...paths.map((path) => parts.publicUrl + path)]
}

/** Adds what MSAL reads: `scope` as asked, `ext_expires_in`, and whose token it is. */
function dressed(
  parts: TokenEndpointParts,
  issued: Record<string, unknown>,
  scope: string,
): Record<string, unknown> {
  const answer = { ...issued, scope, ext_expires_in: issued['expires_in'] }
  const idToken = issued['id_token']
  if (typeof idToken !== 'string') return answer
  const info = JSON.stringify({ uid: decodeJwt(idToken)['oid'], utid: parts.tenantId })
  return { ...answer, client_info: Buffer.from(info).toString('base64url') }
}
