/**
 * Gate 1 with roles: who may do what where, and what lists show to whom.
 * @module
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { enrolledCluster } from '../api/support/agent.ts'
import { startApi, type ApiFixture } from '../api/support/api-fixture.ts'
import { addGroup, addUser, assign, assignmentPath } from './support/directory.ts'

let api: ApiFixture
let subscription: string
let c1: string
let c2: string
beforeAll(async () => {
  api = await startApi()
  subscription = `/subscriptions/${api.subscriptionId}`
  c1 = (await enrolledCluster(api, 'east', 'c1')).path
  c2 = (await enrolledCluster(api, 'west', 'c2')).path
})
afterAll(async () => {
  await api[Symbol.asyncDispose]()
})

const clusterUser = 'Azure Arc Enabled Kubernetes Cluster User Role'
const status = async (token: string, path: string): Promise<number> =>
  (await api.call('GET', path, { token })).status
const credential = async (token: string, path: string): Promise<number> =>
  (
    await api.call('POST', `${path}/listClusterUserCredential`, {
      token,
      body: { authenticationMethod: 'AAD', clientProxy: true },
    })
  ).status
const names = async (token: string, path: string): Promise<unknown> => {
  const answer = await api.call('GET', path, { token })
  const value = answer.at('value') as { name?: string; subscriptionId?: string }[] | undefined
  return value?.map((item) => item.name ?? item.subscriptionId) ?? answer.status
}
const clusters = () => `${subscription}/providers/Microsoft.Kubernetes/connectedClusters`

describe('a role', () => {
  test('holds at its scope and below it, and nowhere else', async () => {
    const user = await addUser(api, 'inherit')
    const made = await assign(api, {
      scope: `${subscription}/resourceGroups/EAST`,
      role: 'Reader',
      principalId: user,
    })
    expect(await status('inherit', c1)).toBe(200)
    expect(await status('inherit', c2)).toBe(403)
    expect(await status('inherit', `${subscription}/resourceGroups/east`)).toBe(200)
    expect((await api.call('DELETE', c1, { token: 'inherit' })).status).toBe(403)
    await api.call('DELETE', assignmentPath(`${subscription}/resourceGroups/east`, made.id))
    expect(await status('inherit', c1)).toBe(403)
  })

  test('comes through nested groups', async () => {
    const outer = await addGroup(api, 'gate-outer')
    const inner = await addGroup(api, 'gate-inner', [outer])
    await addUser(api, 'nested', [inner])
    expect(await status('nested', c1)).toBe(403)
    await assign(api, { scope: c1, role: 'Reader', principalId: outer })
    expect(await status('nested', c1)).toBe(200)
  })

  test('X141: ends at its time, and holds again when the clock is set back', async () => {
    const user = await addUser(api, 'brief')
    const start = api.clock.now
    await assign(api, {
      scope: c1,
      role: 'Reader',
      principalId: user,
      more: { expiresOn: new Date(start + 60_000).toISOString() },
    })
    const seen: number[] = []
    for (const now of [start, start + 59_999, start + 60_000, start + 86_400_000, start]) {
      api.clock.now = now
      seen.push(await status('brief', c1))
    }
    expect(seen).toEqual([200, 200, 403, 403, 200])
  })

  test('of data actions does not let anybody fetch the credential; Cluster User Role does', async () => {
    const user = await addUser(api, 'dev')
    await assign(api, { scope: c1, role: 'Azure Arc Kubernetes Cluster Admin', principalId: user })
    await assign(api, { scope: `${c1}/namespaces/shop`, role: 'Owner', principalId: user })
    expect(await credential('dev', c1)).toBe(403)
    await assign(api, { scope: c1, role: clusterUser, principalId: user })
    expect(await credential('dev', c1)).toBe(200)
    expect(await credential('dev', c2)).toBe(403)
  })

  test('is not reached by a slash hidden in a part of the path', async () => {
    const user = await addUser(api, 'slash')
    await assign(api, {
      scope: `${subscription}/resourceGroups/east`,
      role: 'Owner',
      principalId: user,
    })
    const hidden = `/subscriptions/${api.subscriptionId}%2FresourceGroups%2Feast`
    expect(await status('slash', `${hidden}/locations`)).toBe(403)
    expect(await status('slash', `${hidden}%2F..%2Fwest`)).toBe(403)
  })
})

describe('a list', () => {
  test('shows to each what he may see', async () => {
    const user = await addUser(api, 'lister')
    expect(await names('lister', '/subscriptions')).toEqual([])
    expect(await names('lister', clusters())).toBe(403)
    expect(await names('lister', `${subscription}/resourceGroups`)).toBe(403)
    await assign(api, { scope: c1, role: 'Reader', principalId: user })
    expect(await names('lister', '/subscriptions')).toEqual([api.subscriptionId])
    expect(await status('lister', subscription)).toBe(200)
    expect(await names('lister', `${subscription}/resourceGroups`)).toEqual(['east'])
    expect(await names('lister', clusters())).toEqual(['c1'])
    expect(await names('administrator', clusters())).toEqual(['c1', 'c2'])
  })

  test('fills its pages with what can be seen', async () => {
    const user = await addUser(api, 'pages')
    for (const name of ['p1', 'p2', 'p3', 'p4', 'p5', 'p6']) {
      const { path } = await enrolledCluster(api, 'paged', name)
      if (['p2', 'p5', 'p6'].includes(name)) {
        await assign(api, { scope: path, role: 'Reader', principalId: user })
      }
    }
    const first = await api.call('GET', `${clusters()}?$top=2`, { token: 'pages' })
    expect((first.at('value') as { name: string }[]).map(({ name }) => name)).toEqual(['p2', 'p5'])
    const second = await api.call('GET', String(first.at('nextLink')).slice(api.url.length), {
      token: 'pages',
    })
    expect((second.at('value') as { name: string }[]).map(({ name }) => name)).toEqual(['p6'])
    expect(second.at('nextLink')).toBeUndefined()
  })
})

describe('X144: the right to assign', () => {
  test('is needed at the very scope, and reaches no further', async () => {
    const lead = await addUser(api, 'lead')
    const friend = await addUser(api, 'friend')
    const east = `${subscription}/resourceGroups/east`
    const grant = { token: 'lead', role: 'Owner', principalId: friend }
    expect((await assign(api, { ...grant, scope: east })).status).toBe(403)
    await assign(api, {
      scope: east,
      role: 'Role Based Access Control Administrator',
      principalId: lead,
    })
    expect((await assign(api, { ...grant, scope: subscription })).status).toBe(403)
    expect((await assign(api, { ...grant, scope: '/' })).status).toBe(403)
    expect((await assign(api, { ...grant, scope: c2 })).status).toBe(403)
    expect((await assign(api, { ...grant, scope: c1 })).status).toBe(201)
    expect((await assign(api, { ...grant, scope: subscription, principalId: lead })).status).toBe(
      403,
    )
  })

  test('Contributor and Reader have not, nor does anybody by a namespace', async () => {
    const user = await addUser(api, 'plain')
    for (const role of ['Contributor', 'Reader', 'Azure Arc Kubernetes Cluster Admin']) {
      await assign(api, { scope: c1, role, principalId: user })
      const tried = { scope: c1, role: 'Owner', principalId: user, token: 'plain' }
      expect((await assign(api, tried)).status).toBe(403)
    }
    await assign(api, { scope: `${c1}/namespaces/shop`, role: 'Owner', principalId: user })
    expect(
      (await assign(api, { scope: c1, role: 'Owner', principalId: user, token: 'plain' })).status,
    ).toBe(403)
  })
})
