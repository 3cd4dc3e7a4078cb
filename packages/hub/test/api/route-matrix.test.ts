/**
 * T-HUB-1: who passes the gate of which route, in a file that is read when it changes: `route-matrix.txt`.
 * @module
 */
import type { RouteOptions } from 'fastify'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { addUser, assign } from '../authorization/support/directory.ts'
import { enrolledCluster, makeAssertion } from './support/agent.ts'
import { gateOnly, startApi, type ApiFixture } from './support/api-fixture.ts'
import { methodOf, pathOfRoute } from './support/routes.ts'

let api: ApiFixture
/** Who calls, and the token of the next call. */
let callers: Record<string, () => string | undefined | Promise<string>>

beforeAll(async () => {
  api = await startApi()
  const { path: cluster, agentId, keys } = await enrolledCluster(api, 'rg', 'c1')
  const subscription = `/subscriptions/${api.subscriptionId}`
  const roles = [
    ['reader', 'Reader', subscription],
    ['cluster-user', 'Azure Arc Enabled Kubernetes Cluster User Role', cluster],
    ['group-owner', 'Owner', `${subscription}/resourceGroups/rg`],
  ] as const
  for (const [name, role, scope] of roles) {
    const made = await assign(api, { scope, role, principalId: await addUser(api, name) })
    expect(made.status).toBe(201)
  }
  callers = {
    anonymous: () => undefined,
    stranger: () => 'stranger',
    reader: () => 'reader',
    'cluster user': () => 'cluster-user',
    'group owner': () => 'group-owner',
    agent: () => makeAssertion(api, { agentId, key: keys.privateKey }),
    administrator: () => 'administrator',
  }
}, 60_000)
afterAll(async () => {
  await api[Symbol.asyncDispose]()
})

async function passes(route: RouteOptions, caller: string): Promise<boolean> {
  const token = await callers[caller]?.()
  // So that nobody runs out of requests.
  api.clock.now += 1_000
  const headers = { [gateOnly]: '1' }
  const answer = await api.call(methodOf(route), pathOfRoute(api, route), { token, headers })
  const what = `${methodOf(route)} ${route.url} by ${caller}`
  expect([204, 401, 403], what).toContain(answer.status)
  return answer.status === 204
}

test(
  'T-HUB-1: each caller passes the gates on the list and no other',
  { timeout: 60_000 },
  async () => {
    const names = Object.keys(callers)
    const rows = new Map<string, string[]>()
    // A HEAD comes with each GET and has the same gate: it must agree with it.
    for (const route of api.routes) {
      const cells: string[] = []
      for (const name of names) cells.push((await passes(route, name)) ? 'yes' : '-')
      const key = `${methodOf(route).replace('HEAD', 'GET')} ${route.url}`
      expect(rows.get(key) ?? cells, key).toEqual(cells)
      rows.set(key, cells)
    }
    const lines = [...rows].sort(([a], [b]) => (a < b ? -1 : 1))
    const line = (cells: string[], route: string): string =>
      [...cells.map((cell, index) => cell.padEnd(names[index]?.length ?? 0)), route].join('  ')
    const text = [line(names, 'route'), ...lines.map(([route, cells]) => line(cells, route))]
    await expect(`${text.join('\n')}\n`).toMatchFileSnapshot('./route-matrix.txt')
  },
)
