/**
 * Role assignments by the API: made, listed, changed and deleted as ARM does, and what is refused.
 * @module
 */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { enrolledCluster, putGroup } from '../api/support/agent.ts'
import { administrator, startApi, type ApiFixture } from '../api/support/api-fixture.ts'
import { addGroup, addUser, assign, assignmentPath, roleId } from './support/directory.ts'

let api: ApiFixture
let subscription: string
let group: string
let cluster: string
let ada: string
beforeAll(async () => {
  api = await startApi()
  subscription = `/subscriptions/${api.subscriptionId}`
  group = `${subscription}/resourceGroups/rg`
  cluster = (await enrolledCluster(api, 'rg', 'C1')).path
  ada = await addUser(api, 'ada')
})
afterAll(async () => {
  await api[Symbol.asyncDispose]()
})

const ids = (answer: { at: (path: string) => unknown }): unknown[] =>
  (answer.at('value') as { name: string }[]).map(({ name }) => name)

describe('PUT', () => {
  test('makes an assignment and shows it as ARM does', async () => {
    const made = await assign(api, {
      scope: cluster.toUpperCase(),
      role: 'Reader',
      principalId: ada,
    })
    const now = new Date(api.clock.now).toISOString()
    expect(made.status).toBe(201)
    expect(made.body).toEqual({
      id: `${cluster}/providers/Microsoft.Authorization/roleAssignments/${made.id}`,
      name: made.id,
      type: 'Microsoft.Authorization/roleAssignments',
      properties: {
        roleDefinitionId: `${subscription}/providers/Microsoft.Authorization/roleDefinitions/${roleId('Reader')}`,
        principalId: ada,
        principalType: 'User',
        scope: cluster,
        description: null,
        condition: null,
        conditionVersion: null,
        delegatedManagedIdentityResourceId: null,
        expiresOn: null,
        createdOn: now,
        updatedOn: now,
        createdBy: administrator.objectId,
        updatedBy: administrator.objectId,
      },
    })
    const got = await api.call('GET', assignmentPath(cluster.toLowerCase(), made.id))
    expect(got.body).toEqual(made.body)
    expect((await api.call('GET', assignmentPath(group, made.id))).status).toBe(404)
  })

  test('takes one at every kind of scope', async () => {
    const bob = await addUser(api, 'bob')
    for (const scope of ['/', subscription, group, cluster, `${cluster}/namespaces/shop`]) {
      const made = await assign(api, {
        scope,
        role: 'Azure Arc Kubernetes Viewer',
        principalId: bob,
      })
      expect(made.status, scope).toBe(201)
      expect(made.at('properties.scope')).toBe(scope)
    }
  })

  test('of the same principal, role and scope is a conflict by another name and an update by its own', async () => {
    const id = randomUUID()
    const same = { scope: group, role: 'Reader', principalId: ada }
    expect((await assign(api, { ...same, id })).status).toBe(201)
    const other = await assign(api, same)
    expect(other.status).toBe(409)
    expect(other.at('error.code')).toBe('RoleAssignmentExists')
    expect(other.at('error.message')).toContain(id.replaceAll('-', ''))
    const updated = await assign(api, { ...same, id, more: { description: 'why' } })
    expect(updated.status).toBe(200)
    expect(updated.at('properties.description')).toBe('why')
  })

  test('does not move an assignment to another scope, role or principal', async () => {
    const made = await assign(api, { scope: group, role: 'Contributor', principalId: ada })
    const eve = await addUser(api, 'eve')
    for (const change of [
      { scope: cluster, role: 'Contributor', principalId: ada },
      { scope: group, role: 'Owner', principalId: ada },
      { scope: group, role: 'Contributor', principalId: eve },
    ]) {
      const answer = await assign(api, { ...change, id: made.id })
      expect(answer.status).toBe(400)
      expect(answer.at('error.code')).toBe('RoleAssignmentUpdateNotPermitted')
    }
  })

  test('names an unknown principal, an unknown role, the wrong type, a place that is not there', async () => {
    const refusal = async (wanted: Partial<Parameters<typeof assign>[1]>) => {
      const answer = await assign(api, { scope: group, role: 'Owner', principalId: ada, ...wanted })
      return [answer.status, answer.at('error.code')]
    }
    expect(await refusal({ principalId: randomUUID() })).toEqual([400, 'PrincipalNotFound'])
    expect(await refusal({ principalId: 'ada' })).toEqual([400, 'InvalidRequestContent'])
    expect(await refusal({ role: randomUUID() })).toEqual([404, 'RoleDefinitionDoesNotExist'])
    expect(await refusal({ more: { principalType: 'Group' } })).toEqual([
      400,
      'UnmatchedPrincipalType',
    ])
    expect(await refusal({ more: { principalType: 'Wizard' } })).toEqual([
      400,
      'InvalidRequestContent',
    ])
    expect(await refusal({ scope: `${subscription}/resourceGroups/none` })).toEqual([
      404,
      'ResourceGroupNotFound',
    ])
    expect(
      await refusal({ scope: `${group}/providers/Microsoft.Kubernetes/connectedClusters/no` }),
    ).toEqual([404, 'ResourceNotFound'])
    expect(await refusal({ scope: `/subscriptions/${randomUUID()}` })).toEqual([
      404,
      'SubscriptionNotFound',
    ])
    expect(await refusal({ scope: `${cluster}/namespaces/Bad_Name` })).toEqual([
      400,
      'InvalidRequestContent',
    ])
  })

  test('X143: refuses members it does not know, conditions, and an expiry in the past', async () => {
    const refusal = async (more: Record<string, unknown>) =>
      (await assign(api, { scope: group, role: 'Owner', principalId: ada, more })).at(
        'error.target',
      )
    expect(await refusal({ administrator: true })).toContain('properties')
    expect(await refusal({ condition: '@Resource[a] StringEquals b' })).toBe('condition')
    expect(await refusal({ expiresOn: new Date(api.clock.now).toISOString() })).toBe('expiresOn')
    expect(await refusal({ expiresOn: '2030-01-01' })).toBe('expiresOn')
    expect(await refusal({ description: 7 })).toContain('description')
    const listed = await api.call('GET', assignmentPath(group, '').slice(0, -1))
    expect(listed.status).toBe(200)
    expect(JSON.stringify(listed.body)).not.toContain(roleId('Owner'))
  })

  test('two administrators at once: one makes it, the other learns that it is there', async () => {
    const twin = await addUser(api, 'twin')
    const both = await Promise.all(
      [1, 2].map(() => assign(api, { scope: group, role: 'Reader', principalId: twin })),
    )
    expect(both.map(({ status }) => status).sort()).toEqual([201, 409])
    const id = both.find(({ status }) => status === 201)?.id ?? ''
    const ends = await Promise.all([1, 2].map(() => api.call('DELETE', assignmentPath(group, id))))
    expect(ends.map(({ status }) => status).sort()).toEqual([200, 204])
  })
})

describe('a list', () => {
  test('shows what applies at a scope, with filters, page by page', async () => {
    await putGroup(api, 'lists')
    const at = `${subscription}/resourceGroups/lists`
    const inner = (await enrolledCluster(api, 'lists', 'c2')).path
    const outer = await addGroup(api, 'outer')
    const staff = await addGroup(api, 'staff', [outer])
    const user = await addUser(api, 'listed', [staff])
    const direct = await assign(api, { scope: at, role: 'Reader', principalId: user })
    const nested = await assign(api, { scope: subscription, role: 'Reader', principalId: outer })
    const below = await assign(api, { scope: inner, role: 'Reader', principalId: staff })
    const list = async (filter: string) =>
      ids(await api.call('GET', `${assignmentPath(at, '')}?$filter=${encodeURIComponent(filter)}`))
    expect(await list('')).toEqual(expect.arrayContaining([direct.id, nested.id, below.id]))
    const atScope = await list('atScope()')
    expect(atScope).toEqual(expect.arrayContaining([direct.id, nested.id]))
    expect(atScope).not.toContain(below.id)
    expect(await list(`principalId eq '${user}'`)).toEqual([direct.id])
    expect((await list(`assignedTo('${user}')`)).sort()).toEqual(
      [direct.id, nested.id, below.id].sort(),
    )
    expect((await list(`atScope() and assignedTo('${user}')`)).sort()).toEqual(
      [direct.id, nested.id].sort(),
    )
    const first = await api.call(
      'GET',
      `${assignmentPath(at, '')}?$top=2&$filter=${encodeURIComponent(`assignedTo('${user}')`)}`,
    )
    const link = String(first.at('nextLink'))
    const second = await api.call('GET', link.slice(api.url.length))
    expect([...ids(first), ...ids(second)].sort()).toEqual([direct.id, nested.id, below.id].sort())
    expect(second.at('nextLink')).toBeUndefined()
    const odd = await api.call('GET', `${assignmentPath(at, '')}?$filter=name%20eq%20'x'`)
    expect([odd.status, odd.at('error.target')]).toEqual([400, '$filter'])
  })
})

describe('DELETE', () => {
  test('answers what was deleted, then that there is nothing', async () => {
    const user = await addUser(api, 'brief')
    const made = await assign(api, { scope: group, role: 'Reader', principalId: user })
    const gone = await api.call('DELETE', assignmentPath(group, made.id))
    expect([gone.status, gone.at('name')]).toEqual([200, made.id])
    expect((await api.call('DELETE', assignmentPath(group, made.id))).status).toBe(204)
  })

  test('of a cluster takes its assignments along: another one of its name begins with none', async () => {
    const { path } = await enrolledCluster(api, 'rg', 'again')
    const made = await assign(api, { scope: path, role: 'Owner', principalId: ada })
    const inside = await assign(api, {
      scope: `${path}/namespaces/shop`,
      role: 'Azure Arc Kubernetes Admin',
      principalId: ada,
    })
    expect((await api.call('DELETE', path)).status).toBe(202)
    await enrolledCluster(api, 'rg', 'again')
    const listed = ids(await api.call('GET', assignmentPath(path, '')))
    expect(listed).not.toContain(made.id)
    expect(listed).not.toContain(inside.id)
  })

  test('of a principal leaves its assignments, as ARM does, for somebody to clean up', async () => {
    const user = await addUser(api, 'leaver')
    const made = await assign(api, { scope: group, role: 'Reader', principalId: user })
    await api.store.db.deleteFrom('users').where('object_id', '=', user).execute()
    expect((await api.call('GET', assignmentPath(group, made.id))).status).toBe(200)
    expect((await api.call('DELETE', assignmentPath(group, made.id))).status).toBe(200)
  })
})
