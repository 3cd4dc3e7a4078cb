/**
 * Referee: `@azure/arm-authorization`, unmodified, over real HTTPS with a private CA.
 * @module
 */
import { randomUUID } from 'node:crypto'
import { AuthorizationManagementClient } from '@azure/arm-authorization'
import type { TokenCredential } from '@azure/core-auth'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { enrolledCluster } from '../api/support/agent.ts'
import { startApi, type ApiFixture } from '../api/support/api-fixture.ts'
import { addGroup, addUser, roleId } from './support/directory.ts'

let api: ApiFixture
let cluster: string
let client: AuthorizationManagementClient

function clientOf(token: string): AuthorizationManagementClient {
  const credential: TokenCredential = {
    getToken: () => Promise.resolve({ token, expiresOnTimestamp: Date.now() + 3_600_000 }),
  }
  return new AuthorizationManagementClient(credential, api.subscriptionId, {
    endpoint: api.url,
    tlsOptions: { ca: api.ca },
  })
}

beforeAll(async () => {
  api = await startApi()
  cluster = (await enrolledCluster(api, 'rg', 'c1')).path
  client = clientOf('administrator')
})
afterAll(async () => {
  await api[Symbol.asyncDispose]()
})

const definition = (id: string) =>
  `/subscriptions/${api.subscriptionId}/providers/Microsoft.Authorization/roleDefinitions/${id}`

test('creates, gets, lists and deletes assignments, with the double slash of its scopes', async () => {
  const group = await addGroup(api, 'team')
  const user = await addUser(api, 'sdk', [group])
  const name = randomUUID()
  const parameters = { roleDefinitionId: definition(roleId('Reader')), principalId: group }
  const made = await client.roleAssignments.create(cluster, name, parameters)
  expect(made).toMatchObject({ name, scope: cluster, principalId: group, principalType: 'Group' })
  expect(made.createdOn).toBeInstanceOf(Date)
  expect(await client.roleAssignments.getById(made.id ?? '')).toEqual(made)
  const names = async (list: AsyncIterable<{ name?: string }>): Promise<(string | undefined)[]> => {
    const found = []
    for await (const item of list) found.push(item.name)
    return found
  }
  const assigned = { filter: `assignedTo('${user}')` }
  const { roleAssignments } = client
  expect(await names(roleAssignments.listForScope(cluster, assigned))).toEqual([name])
  expect(await names(roleAssignments.listForSubscription(assigned))).toEqual([name])
  expect(await names(roleAssignments.listForResourceGroup('rg', assigned))).toEqual([name])
  const resource = ['rg', 'Microsoft.Kubernetes', 'connectedClusters', 'c1', assigned] as const
  expect(await names(roleAssignments.listForResource(...resource))).toEqual([name])
  await expect(roleAssignments.create(cluster, randomUUID(), parameters)).rejects.toMatchObject({
    statusCode: 409,
    code: 'RoleAssignmentExists',
  })
  expect(await roleAssignments.delete(cluster, name)).toEqual(made)
  await expect(roleAssignments.get(cluster, name)).rejects.toMatchObject({ statusCode: 404 })
})

test('creates, gets, lists and deletes role definitions', async () => {
  const id = randomUUID()
  const scope = `/subscriptions/${api.subscriptionId}`
  const made = await client.roleDefinitions.createOrUpdate(scope, id, {
    roleName: 'Deployment Reader',
    permissions: [
      { dataActions: ['Microsoft.Kubernetes/connectedClusters/apps/deployments/read'] },
    ],
    assignableScopes: [scope],
  })
  expect(made).toMatchObject({ name: id, roleName: 'Deployment Reader', roleType: 'CustomRole' })
  expect(await client.roleDefinitions.getById(made.id ?? '')).toEqual(made)
  const custom = []
  for await (const role of client.roleDefinitions.list(cluster, {
    filter: "type eq 'CustomRole'",
  })) {
    custom.push(role)
  }
  expect(custom).toEqual([made])
  expect(await client.roleDefinitions.delete(scope, id)).toEqual(made)
  const viewer = await client.roleDefinitions.get('/', roleId('Azure Arc Kubernetes Viewer'))
  expect(viewer.permissions?.[0]?.dataActions).toHaveLength(28)
})

test('lists permissions, deny assignments and the operations of providers', async () => {
  const user = await addUser(api, 'asker')
  await client.roleAssignments.create(`${cluster}/namespaces/shop`, randomUUID(), {
    roleDefinitionId: definition(roleId('Azure Arc Kubernetes Writer')),
    principalId: user,
    principalType: 'User',
  })
  await client.roleAssignments.create(cluster, randomUUID(), {
    roleDefinitionId: definition(roleId('Reader')),
    principalId: user,
  })
  const resource = ['rg', 'Microsoft.Kubernetes', '', 'connectedClusters', 'c1'] as const
  const permissions = await Array.fromAsync(
    clientOf('asker').permissions.listForResource(...resource),
  )
  expect(permissions).toEqual([
    { actions: ['*/read'], notActions: [], dataActions: [], notDataActions: [] },
  ])
  expect(await Array.fromAsync(client.denyAssignments.listForScope(cluster))).toEqual([])
  const providers = await Array.fromAsync(client.providerOperationsMetadataOperations.list())
  expect(providers.map(({ name }) => name)).toContain('Microsoft.Kubernetes')
  const kubernetes = await client.providerOperationsMetadataOperations.get('Microsoft.Kubernetes')
  const clusters = kubernetes.resourceTypes?.find(({ name }) => name === 'connectedClusters')
  expect(clusters?.operations?.map(({ name }) => name)).toContain(
    'Microsoft.Kubernetes/connectedClusters/read',
  )
})

test('checkAccess answers as the guard of Azure asks', async () => {
  const user = await addUser(api, 'checked')
  await client.roleAssignments.create(`${cluster}/namespaces/shop`, randomUUID(), {
    roleDefinitionId: definition(roleId('Azure Arc Kubernetes Viewer')),
    principalId: user,
  })
  const check = async (scope: string, id: string, isDataAction = true): Promise<unknown> => {
    const answer = await api.call(
      'POST',
      `${scope}/providers/Microsoft.Authorization/checkaccess?api-version=2018-09-01-preview`,
      {
        body: {
          Subject: { Attributes: { ObjectId: user, Groups: [] } },
          Actions: [
            { Id: `Microsoft.Kubernetes/connectedClusters/${id}`, IsDataAction: isDataAction },
          ],
          Resource: { Id: cluster },
        },
      },
    )
    expect(answer.status).toBe(200)
    return answer.at('0.accessDecision')
  }
  expect(await check(`${cluster}/namespaces/shop`, 'pods/read')).toBe('Allowed')
  expect(await check(`${cluster}/namespaces/shop`, 'secrets/read')).toBe('NotAllowed')
  expect(await check(`${cluster}/namespaces/shop`, 'pods/write')).toBe('NotAllowed')
  expect(await check(`${cluster}/namespaces/other`, 'pods/read')).toBe('NotAllowed')
  expect(await check(cluster, 'pods/read')).toBe('NotAllowed')
  expect(await check(cluster, 'read', false)).toBe('NotAllowed')
})
