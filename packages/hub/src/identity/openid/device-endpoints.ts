/**
 * Device codes (RFC 8628): where programs get them and where people enter them.
 * @module
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { limits } from '@sallyport/protocol'
import { addressKey, createRateLimit } from '../rate-limit.ts'
import { callProvider, forwardJson } from './inner-call.ts'
import { devicePath, issuerOf } from './issuer.ts'
import { noStore, notAForm, sendOAuthError, tooMany, unknownTenant } from './oauth-answer.ts'
import { formOf, type PageGate, type PageGateParts } from './page-gate.ts'
import { readScope } from './token-request.ts'

interface TenantRoute {
  Params: { tenant: string }
}

/** Adds the endpoint and the pages; `scope` reads forms into URLSearchParams. */
export function registerDeviceEndpoints(
  scope: FastifyInstance,
  parts: PageGateParts,
  gate: PageGate,
): void {
  const rate = createRateLimit({
    keys: limits.tokenRateKeys,
    now: parts.now,
    perMinute: limits.signInsPerMinutePerAddress,
  })
  for (const version of ['/v2.0', '']) {
    scope.post<TenantRoute>(`/:tenant/oauth2${version}/devicecode`, (request, reply) => {
      const wait = rate.take(addressKey(request.ip))
      if (wait === undefined) return giveDeviceCode(parts, request, reply)
      return sendOAuthError(reply.header('retry-after', wait), tooMany(wait))
    })
  }
  // A code in the address is not read: people shall compare it and type it (T-LOGIN-1).
  scope.get(
    devicePath,
    gate.ofHub((exchange) => gate.forward(exchange, { method: 'GET', url: devicePath })),
  )
  scope.post(
    devicePath,
    gate.ofHub((exchange) =>
      gate.forward(exchange, { method: 'POST', url: devicePath, form: formOf(exchange.request) }),
    ),
  )
  scope.get(
    `${devicePath}/:uid`,
    gate.ofHub((exchange) => {
      const { uid } = exchange.request.params as { uid: string }
      const url = `${devicePath}/${encodeURIComponent(uid)}`
      return gate.forward(exchange, { method: 'GET', url })
    }),
  )
}

async function giveDeviceCode(
  parts: PageGateParts,
  request: FastifyRequest<TenantRoute>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const issuer = issuerOf(parts, request.params.tenant)
  if (issuer === undefined) return sendOAuthError(reply, unknownTenant)
  if (!(request.body instanceof URLSearchParams)) return sendOAuthError(reply, notAForm)
  const scope = readScope(request.body, parts.publicUrl)
  if (typeof scope !== 'string') return sendOAuthError(reply, scope)
  const form = new URLSearchParams({ scope: 'openid profile', resource: parts.publicUrl })
  for (const value of request.body.getAll('client_id')) form.append('client_id', value)
  const answer = await callProvider(parts.publicUrl, issuer, {
    method: 'POST',
    url: issuer.paths.device_authorization,
    form,
    address: request.ip,
  })
  if (answer.statusCode !== 200) return forwardJson(reply, answer)
  const given = answer.json<{ user_code: string; device_code: string; expires_in: number }>()
  const address = parts.publicUrl + devicePath
  return noStore(reply).send({
    user_code: given.user_code,
    device_code: given.device_code,
    verification_uri: address,
    // The name of v1.0 endpoints, which older clients read.
    verification_url: address,
    expires_in: given.expires_in,
    interval: limits.deviceCodePollMs / 1000,
    message: `To sign in, open ${address} in a browser and enter the code ${given.user_code}.`,
  })
}
