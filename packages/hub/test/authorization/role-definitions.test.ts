/**
 * Role definitions by the API, custom ones above all.
 * @module
 */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { enrolledCluster } from '../api/support/agent.ts'
import { startApi, type ApiFixture } from '../api/support/api-fixture.ts'
import { addUser, assign, assignmentPath, roleId } from './support/directory.ts'

let api: ApiFixture
let subscription: string
let group: string
let cluster: string
beforeAll(async () => {
  api = await startApi()
  subscription = `/subscriptions/${api.subscriptionId}`
  group = `${subscription}/resourceGroups/rg`
  cluster = (await enrolledCluster(api, 'rg', 'c1')).path
})
afterAll(async () => {
  await api[Symbol.asyncDispose]()
})

const path = (scope: string, id: string): string =>
  `${scope === '/' ? '' : scope}/providers/Microsoft.Authorization/roleDefinitions/${id}`
const put = (
  properties: Record<string, unknown>,
  {
    id = randomUUID(),
    scope = group,
    token = 'administrator',
  }: { id?: string; scope?: string; token?: string } = {},
) =>
  api
    .call('PUT', path(scope, id), {
      token,
      body: {
        properties: {
          roleName: `role ${id}`,
          permissions: [{ actions: ['Microsoft.Kubernetes/connectedClusters/read'] }],
          assignableScopes: [group],
          ...properties,
        },
      },
    })
    .then((answer) => ({ ...answer, id }))

describe('a built-in role', () => {
  test('is found by name and by GUID, at the tenant and below, and is fixed', async () => {
    const id = roleId('Reader')
    for (const scope of ['/', subscription, group, cluster]) {
      const found = await api.call('GET', path(scope, id.toUpperCase()))
      expect(found.at('properties.roleName')).toBe('Reader')
    }
    const query = `$filter=${encodeURIComponent("roleName eq 'reader'")}`
    const named = await api.call('GET', `${path(subscription, '')}?${query}`)
    expect(named.at('value.0.id')).toBe(path(subscription, id))
    const changed = await put({}, { id })
    expect(changed.at('error.code')).toBe('RoleDefinitionIsBuiltIn')
    const deleted = await api.call('DELETE', path(group, id))
    expect([deleted.status, deleted.at('error.code')]).toEqual([400, 'RoleDefinitionIsBuiltIn'])
    const unknown = await api.call('GET', path('/', randomUUID()))
    expect([unknown.status, unknown.at('error.code')]).toEqual([404, 'RoleDefinitionDoesNotExist'])
  })
})

describe('a custom role', () => {
  test('is made, listed, replaced, assigned inside its scopes only, and deleted when it is free', async () => {
    const made = await put({ roleName: 'Watcher', description: 'looks' })
    expect(made.status).toBe(201)
    expect(made.at('properties')).toMatchObject({
      roleName: 'Watcher',
      type: 'CustomRole',
      assignableScopes: [group],
      permissions: [
        {
          actions: ['Microsoft.Kubernetes/connectedClusters/read'],
          notActions: [],
          dataActions: [],
        },
      ],
    })
    const filter = encodeURIComponent("type eq 'CustomRole'")
    const custom = async (scope: string, more = ''): Promise<unknown[]> => {
      const answer = await api.call('GET', `${path(scope, '')}?$filter=${filter}${more}`)
      return (answer.at('value') as { name: string }[]).map(({ name }) => name)
    }
    expect(await custom(cluster)).toContain(made.id)
    expect(await custom(subscription)).not.toContain(made.id)
    expect(await custom(subscription, encodeURIComponent(' and atScopeAndBelow()'))).toContain(
      made.id,
    )
    const user = await addUser(api, 'watcher')
    const outside = await assign(api, { scope: subscription, role: made.id, principalId: user })
    expect(outside.at('error.code')).toBe('RoleAssignmentScopeNotAssignableToRoleDefinition')
    const inside = await assign(api, { scope: cluster, role: made.id, principalId: user })
    expect(inside.status).toBe(201)
    expect((await api.call('GET', cluster, { token: 'watcher' })).status).toBe(200)
    const replaced = await put(
      { roleName: 'Watcher', permissions: [{ actions: ['*/read'], notActions: ['*/read'] }] },
      { id: made.id },
    )
    expect(replaced.status).toBe(200)
    expect((await api.call('GET', cluster, { token: 'watcher' })).status).toBe(403)
    const used = await api.call('DELETE', path(group, made.id))
    expect([used.status, used.at('error.code')]).toEqual([400, 'RoleDefinitionHasAssignments'])
    const narrowed = await put(
      {
        roleName: 'Watcher',
        assignableScopes: [
          `${subscription}/resourceGroups/rg/providers/Microsoft.Kubernetes/connectedClusters/c1/namespaces/shop`,
        ],
      },
      { id: made.id },
    )
    expect(narrowed.at('error.code')).toBe('RoleDefinitionHasAssignments')
    await api.call('DELETE', assignmentPath(cluster, inside.id))
    expect((await api.call('DELETE', path(group, made.id))).status).toBe(200)
    expect((await api.call('DELETE', path(group, made.id))).status).toBe(204)
  })

  test('has a name of its own, without anything invisible', async () => {
    await put({ roleName: 'Taken' })
    for (const roleName of ['TAKEN', 'Reader']) {
      expect((await put({ roleName })).at('error.code')).toBe('RoleDefinitionWithSameNameExists')
    }
    for (const roleName of ['', ' ', 'a\u0000b', 'a\nb', 'a\u202eb', 'x'.repeat(513)]) {
      expect((await put({ roleName })).status, JSON.stringify(roleName)).toBe(400)
    }
  })

  test.each([
    [{ permissions: [{ actions: ['x y/read'] }] }, 'permissions.actions'],
    [
      { permissions: [{ actions: ['Microsoft.Kubernetes/connectedClusters/conquer'] }] },
      'permissions.actions',
    ],
    [
      { permissions: [{ dataActions: ['Microsoft.Storage/accounts/read'] }] },
      'permissions.dataActions',
    ],
    [{ assignableScopes: ['/subscriptions/x'] }, 'assignableScopes'],
    [{ type: 'BuiltInRole' }, 'type'],
    [{ administrator: true }, 'properties.administrator'],
    [{ permissions: [{ actions: [], deny: true }] }, 'properties.permissions.0.deny'],
  ])('is refused with %j', async (properties, target) => {
    const answer = await put(properties)
    expect(answer.status).toBe(400)
    expect(String(answer.at('error.target'))).toMatch(target.split('.')[0] ?? '')
  })

  test('X144: is written and deleted only by who may in each of its scopes', async () => {
    const user = await addUser(api, 'designer')
    await assign(api, { scope: cluster, role: 'User Access Administrator', principalId: user })
    const by = { token: 'designer', scope: cluster }
    expect((await put({ assignableScopes: [cluster] }, by)).status).toBe(201)
    expect((await put({ assignableScopes: [cluster, group] }, by)).status).toBe(403)
    const wide = await put({})
    const mine = { id: wide.id, ...by }
    expect((await put({ assignableScopes: [cluster] }, mine)).status).toBe(403)
    const deleted = await api.call('DELETE', path(cluster, wide.id), { token: 'designer' })
    expect(deleted.status).toBe(403)
  })
})
