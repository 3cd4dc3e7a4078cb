/**
 * Who may call what: every route is looked at, so a new one cannot be forgotten.
 * @module
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RouteOptions } from 'fastify'
import { actions } from '../../src/authorization/actions.ts'
import { roleAllows } from '../../src/authorization/roles.ts'
import { enrolledCluster, makeAssertion } from './support/agent.ts'
import { startApi, type ApiFixture } from './support/api-fixture.ts'
import { methodOf, pathOfRoute } from './support/routes.ts'

let api: ApiFixture
let routes: RouteOptions[]
beforeAll(async () => {
  api = await startApi()
  routes = api.routes
})
afterAll(async () => {
  await api[Symbol.asyncDispose]()
})

const pathOf = (route: RouteOptions): string => pathOfRoute(api, route)

const nothing = { actions: [], notActions: [], dataActions: [], notDataActions: [] }

describe('every route', () => {
  test('declares an action, the agent, or why it is public', () => {
    expect(routes.length).toBeGreaterThan(20)
    for (const route of routes) {
      const access = route.config?.access
      expect(access, route.url).toBeDefined()
      if (access?.kind === 'principal') {
        expect(Object.keys(actions)).toContain(access.action)
        expect(roleAllows([{ ...nothing, actions: [access.action] }], access.action)).toBe(true)
        expect(['at', 'below', 'anyone']).toContain(access.reach)
      }
      if (access?.kind === 'public') expect(access.reason.length).toBeGreaterThan(10)
    }
  })

  test('is on the list of public ones only when it is meant to be', () => {
    const open = routes.filter((route) => route.config?.access?.kind === 'public')
    expect([...new Set(open.map((route) => route.url))].sort()).toEqual([
      '/sallyport/v1/agent/enrol',
      '/sallyport/v1/openapi.json',
      '/urls/allowlist',
    ])
  })

  test('is open to everybody signed in only when it is about the caller itself', () => {
    const own = routes.filter((route) => route.config?.access?.kind === 'signed-in')
    expect(own.length).toBeGreaterThan(0)
    for (const route of own) expect(route.url).toMatch(/^(\/graph)?\/v1\.0\/me(\/|$)/)
  })

  test('refuses a stranger without a body being read, and a caller without sign-in', async () => {
    for (const route of routes) {
      const access = route.config?.access
      if (access?.kind !== 'principal' && access?.kind !== 'signed-in') continue
      const method = methodOf(route)
      const body = method === 'GET' || method === 'HEAD' ? undefined : '{ not json'
      const headers = { 'content-type': 'application/json' }
      if (access.kind === 'principal' && access.reach !== 'anyone') {
        const path = pathOf(route)
        const forbidden = await api.call(method, path, { token: 'stranger', body, headers })
        expect(forbidden.status, route.url).toBe(403)
      }
      const anonymous = await api.call(method, pathOf(route), { token: undefined, body, headers })
      expect(anonymous.status, route.url).toBe(401)
      expect(anonymous.headers['www-authenticate']).toContain('authorization_uri="https://')
    }
  })

  test('needs no role on the list of those only where the answer is about the caller or the same for all', () => {
    const free = routes.filter((route) => {
      const access = route.config?.access
      return access?.kind === 'principal' && access.reach === 'anyone'
    })
    const kinds = free.map((route) => route.url.replace(/^.*\/(permissions)$/, '*/$1'))
    expect([...new Set(kinds)].sort()).toEqual([
      '*/permissions',
      '/providers/Microsoft.Authorization/providerOperations',
      '/providers/Microsoft.Authorization/providerOperations/:namespace',
      '/providers/Microsoft.Kubernetes/operations',
      '/sallyport/v1/sessions',
      '/sallyport/v1/sessions/:sessionId',
      '/subscriptions',
      '/subscriptions/:subscriptionId/operationresults/:operationId',
      '/subscriptions/:subscriptionId/providers/Microsoft.Kubernetes/locations/:location/operationResults/:operationId',
      '/subscriptions/:subscriptionId/providers/Microsoft.Kubernetes/locations/:location/operationStatuses/:operationId',
      '/tenants',
    ])
  })

  test('T-AGT-1: lets the credential of an agent call the agent API and nothing else', async () => {
    const { agentId, keys } = await enrolledCluster(api, 'rg', 'c1')
    for (const route of routes) {
      const access = route.config?.access
      if (access?.kind === 'public') continue
      const token = await makeAssertion(api, { agentId, key: keys.privateKey })
      const answer = await api.call(methodOf(route), pathOf(route), { token })
      if (access?.kind === 'agent') expect(answer.status, route.url).not.toBe(401)
      else expect(answer.status, route.url).toBe(401)
    }
  })

  test('does not take the sign-in of a principal on the agent API', async () => {
    for (const route of routes) {
      if (route.config?.access?.kind !== 'agent') continue
      const answer = await api.call(methodOf(route), pathOf(route), { body: {} })
      expect(answer.status).toBe(401)
    }
  })
})

describe('a refusal', () => {
  test('names principal, action and scope, and is the same for what is and what is not there', async () => {
    const { path } = await enrolledCluster(api, 'rg', 'there')
    const absent = path.replace(/there$/, 'absent')
    const first = await api.call('GET', path, { token: 'stranger' })
    const second = await api.call('GET', absent, { token: 'stranger' })
    expect(first.at('error.code')).toBe('AuthorizationFailed')
    expect(first.at('error.message')).toBe(
      `The client 'mallory' with object id '11111111-2222-4333-8444-555555555555' does not have authorization to perform ` +
        `action 'Microsoft.Kubernetes/connectedClusters/read' over scope '${path}' or the scope is invalid.`,
    )
    const text = JSON.stringify(second.body).replaceAll('absent', 'there')
    const id = (answer: typeof first): string => String(answer.headers['x-ms-request-id'])
    expect(text.replace(id(second), id(first))).toBe(JSON.stringify(first.body))
  })
})
