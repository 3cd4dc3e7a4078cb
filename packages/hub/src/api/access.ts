/**
 * Who may call a route: declared beside each route, enforced here and nowhere else.
 * @module
 */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Action } from '../authorization/actions.ts'
import { administratorPolicy, authorize } from '../authorization/authorize.ts'
import type { Principal } from '../identity/principal.ts'
import type { EnrolledAgent } from '../registry/agents.ts'
import { createAgentAuthenticator } from './agent-assertion.ts'
import { checkApiVersion, type ApiProvider } from './api-version.ts'
import type { ApiContext } from './context.ts'
import { createRequestBudget } from './request-budget.ts'
import { scopeOf } from './scope.ts'

/** The declaration of one route. */
export type RouteAccess =
  | { kind: 'public'; reason: string }
  | { kind: 'agent' }
  | { kind: 'principal'; action: Action; provider: ApiProvider }

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: RouteAccess
  }
  interface FastifyRequest {
    principal: Principal | null
    agent: EnrolledAgent | null
  }
}

/** `config` of a route for signed-in principals holding `action`. */
export function requires(action: Action): { access: RouteAccess } {
  return { access: { kind: 'principal', action, provider: providerOf(action) } }
}

function providerOf(action: Action): ApiProvider {
  if (action.startsWith('Sallyport/')) return 'Sallyport'
  return action.startsWith('Microsoft.Kubernetes/') ? 'Microsoft.Kubernetes' : 'Microsoft.Resources'
}

/** `config` of a route for the enrolled agent of a cluster, about that cluster only. */
export const agentOnly: { access: RouteAccess } = { access: { kind: 'agent' } }

/** `config` of a route everybody may call, and why. */
export function publicRoute(reason: string): { access: RouteAccess } {
  return { access: { kind: 'public', reason } }
}

/**
 * Adds the gate to every route of `scope`. It runs before the body is read: a stranger cannot make the hub parse anything.
 * A route without declaration does not even start.
 */
export function addAccessGate(scope: FastifyInstance, context: ApiContext): void {
  const authenticateAgent = createAgentAuthenticator(context)
  const spend = createRequestBudget(context.now)
  scope.decorateRequest('principal', null)
  scope.decorateRequest('agent', null)
  scope.addHook('onRoute', (route) => {
    if (route.config?.access === undefined) {
      throw new TypeError(`route ${route.url} does not declare who may call it`)
    }
  })
  scope.addHook('onRequest', async (request, reply) => {
    const access = request.routeOptions.config.access
    switch (access?.kind) {
      case 'public':
        return
      case 'agent':
        request.agent = await authenticateAgent(request)
        return
      case 'principal': {
        request.principal = await context.authenticate(request)
        spend(request, reply)
        checkApiVersion(access.provider, request)
        await authorize(administratorPolicy, {
          principal: request.principal,
          action: access.action,
          scope: scopeOf(request),
        })
        return
      }
      default:
        throw new TypeError('route without access declaration')
    }
  })
}

/** The caller of a route that `requires` an action. */
export function principalOf(request: FastifyRequest): Principal {
  if (request.principal === null) throw new TypeError('this route has no principal')
  return request.principal
}

/** The caller of a route that is `agentOnly`. */
export function agentOf(request: FastifyRequest): EnrolledAgent {
  if (request.agent === null) throw new TypeError('this route has no agent')
  return request.agent
}
