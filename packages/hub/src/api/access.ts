/**
 * Who may call a route: declared beside each route, enforced here and nowhere else.
 * @module
 */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Action } from '../authorization/actions.ts'
import { authorize, type Reach } from '../authorization/authorize.ts'
import { createRolePolicy } from '../authorization/policy.ts'
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
  | { kind: 'signed-in' }
  | { kind: 'principal'; action: Action; provider: ApiProvider; reach: Reach }

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: RouteAccess
  }
  interface FastifyRequest {
    principal: Principal | null
    agent: EnrolledAgent | null
  }
}

const providers: readonly ApiProvider[] = [
  'Microsoft.Kubernetes',
  'Microsoft.Authorization',
  'Sallyport',
]

/**
 * `config` of a route for signed-in principals holding `action`. With another `reach` than `at` the handler shows only what the
 * caller may see: see `visible.ts`.
 */
export function requires(action: Action, reach: Reach = 'at'): { access: RouteAccess } {
  const provider =
    providers.find((namespace) => action.startsWith(`${namespace}/`)) ?? 'Microsoft.Resources'
  return { access: { kind: 'principal', action, provider, reach } }
}

/** `config` of a route for every signed-in principal, about itself only. */
export const signedIn: { access: RouteAccess } = { access: { kind: 'signed-in' } }

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
  const policy = createRolePolicy({ db: context.store.db, now: context.now })
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
      case 'signed-in':
        request.principal = await context.authenticate(request)
        spend(request, reply)
        return
      case 'principal': {
        request.principal = await context.authenticate(request)
        spend(request, reply)
        checkApiVersion(access.provider, request)
        await authorize(policy, {
          principal: request.principal,
          action: access.action,
          scope: scopeOf(request),
          reach: access.reach,
        })
        return
      }
      default:
        throw new TypeError('route without access declaration')
    }
  })
}

/** The caller of a route that `requires` an action, or is for everybody `signedIn`. */
export function principalOf(request: FastifyRequest): Principal {
  if (request.principal === null) throw new TypeError('this route has no principal')
  return request.principal
}

/** The caller of a route that is `agentOnly`. */
export function agentOf(request: FastifyRequest): EnrolledAgent {
  if (request.agent === null) throw new TypeError('this route has no agent')
  return request.agent
}
