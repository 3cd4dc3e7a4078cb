/**
 * Who loses gate 1 loses the sessions too; what the agent is told; features.
 * @module
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { agentApiPaths, type AgentAssignments } from '@sallyport/protocol'
import { agentAssignments } from '../../src/authorization/agent-assignments.ts'
import { expireAssignments } from '../../src/authorization/assignment-expiry.ts'
import { currentRevision, revocationsAfter } from '../../src/registry/revocations.ts'
import { enrolledCluster, makeAssertion } from '../api/support/agent.ts'
import { startApi, type ApiFixture } from '../api/support/api-fixture.ts'
import { addGroup, addUser, assign, assignmentPath, roleId } from './support/directory.ts'

const clusterUser = 'Azure Arc Enabled Kubernetes Cluster User Role'
const viewer = 'Azure Arc Kubernetes Viewer'

let api: ApiFixture
let cluster: string
let agent: Awaited<ReturnType<typeof enrolledCluster>>
beforeEach(async () => {
  api = await startApi()
  agent = await enrolledCluster(api, 'rg', 'C1')
  cluster = agent.path
})
afterEach(async () => {
  await api[Symbol.asyncDispose]()
})

/** Runs `change`; returns whom it cut off. */
async function cutBy(change: () => Promise<unknown>): Promise<string[]> {
  const before = await currentRevision(api.store.db)
  await change()
  const found = (await revocationsAfter(api.store.db, before)) ?? []
  return found.map(({ kind, target }) => (kind === 'principal' ? target : kind)).sort()
}
const remove = (scope: string, id: string) => () => api.call('DELETE', assignmentPath(scope, id))
const expire = () =>
  expireAssignments({ store: api.store, now: api.context.now, changes: api.context.changes })

describe('X145: deleting an assignment', () => {
  test('cuts off the principal in the same transaction, and wakes the agents', async () => {
    const user = await addUser(api, 'ada')
    const made = await assign(api, { scope: cluster, role: clusterUser, principalId: user })
    const { turn } = api.context.changes
    expect(await cutBy(remove(cluster, made.id))).toEqual([user])
    expect(api.context.changes.turn).toBeGreaterThan(turn)
  })

  test('cuts off everybody in a group, nested ones too, except who has another way', async () => {
    const outer = await addGroup(api, 'outer')
    const inner = await addGroup(api, 'inner', [outer])
    const one = await addUser(api, 'one', [outer])
    const two = await addUser(api, 'two', [inner])
    const three = await addUser(api, 'three', [inner])
    await assign(api, { scope: '/', role: 'Owner', principalId: three })
    const made = await assign(api, { scope: cluster, role: clusterUser, principalId: outer })
    expect(await cutBy(remove(cluster, made.id))).toEqual([one, two].sort())
  })

  test('of a role without the credential cuts nobody off', async () => {
    const user = await addUser(api, 'ada')
    await assign(api, { scope: cluster, role: clusterUser, principalId: user })
    const made = await assign(api, { scope: cluster, role: viewer, principalId: user })
    expect(await cutBy(remove(cluster, made.id))).toEqual([])
  })
})

describe('an expiry', () => {
  test('cuts off once, survives clock jumps either way, and wakes the agents', async () => {
    const user = await addUser(api, 'ada')
    const start = api.clock.now
    const expiresOn = new Date(start + 3_600_000).toISOString()
    await assign(api, { scope: cluster, role: clusterUser, principalId: user, more: { expiresOn } })
    expect(await cutBy(expire)).toEqual([])
    api.clock.now = start + 86_400_000
    const { turn } = api.context.changes
    expect(await cutBy(expire)).toEqual([user])
    expect(api.context.changes.turn).toBeGreaterThan(turn)
    expect(await cutBy(expire)).toEqual([])
    api.clock.now = start
    expect(await cutBy(expire)).toEqual([])
    api.clock.now = start + 3_600_000
    expect(await cutBy(expire)).toEqual([user])
  })

  test('makes room for the same assignment again', async () => {
    const user = await addUser(api, 'again')
    const wanted = { scope: cluster, role: viewer, principalId: user }
    const expiresOn = new Date(api.clock.now + 60_000).toISOString()
    await assign(api, { ...wanted, more: { expiresOn } })
    expect((await assign(api, wanted)).status).toBe(409)
    api.clock.now += 60_000
    expect((await assign(api, wanted)).status).toBe(201)
    expect((await assign(api, wanted)).status).toBe(409)
  })
})

describe('assignments for the agent', () => {
  const ask = async (): Promise<AgentAssignments> => {
    const token = await makeAssertion(api, { agentId: agent.agentId, key: agent.keys.privateKey })
    const answer = await api.call('POST', agentApiPaths.assignments, { token, body: {} })
    expect(answer.status).toBe(200)
    return answer.body as AgentAssignments
  }

  test('are those with data actions at, above and inside its cluster, in force, of principals that exist', async () => {
    const user = await addUser(api, 'ada')
    const group = await addGroup(api, 'devs')
    const gone = await addUser(api, 'gone')
    const other = (await enrolledCluster(api, 'rg', 'C10')).path
    const empty = await ask()
    expect(empty).toMatchObject({ roles: [], assignments: [] })
    const wide = await assign(api, { scope: '/', role: viewer, principalId: group })
    const inside = await assign(api, {
      scope: `${cluster}/namespaces/shop`,
      role: 'Azure Arc Kubernetes Admin',
      principalId: user,
    })
    await assign(api, { scope: cluster, role: clusterUser, principalId: user })
    await assign(api, { scope: other, role: viewer, principalId: user })
    await assign(api, { scope: cluster, role: viewer, principalId: gone })
    await api.store.db.deleteFrom('users').where('object_id', '=', gone).execute()
    const brief = await assign(api, {
      scope: cluster,
      role: viewer,
      principalId: user,
      more: { expiresOn: new Date(api.clock.now + 60_000).toISOString() },
    })
    const before = await ask()
    expect(before.assignments.map(({ id }) => id).sort()).toEqual(
      [wide.id, inside.id, brief.id].sort(),
    )
    api.clock.now += 60_000
    const after = await ask()
    expect(after.version).not.toBe(before.version)
    expect((await ask()).version).toBe(after.version)
    expect(
      after.assignments.toSorted((a, b) => a.subjectKind.localeCompare(b.subjectKind)),
    ).toEqual([
      { id: wide.id, principalId: group, subjectKind: 'Group', roleId: roleId(viewer) },
      {
        id: inside.id,
        principalId: user,
        subjectKind: 'User',
        namespace: 'shop',
        roleId: roleId('Azure Arc Kubernetes Admin'),
      },
    ])
    expect(after.roles.map(({ name }) => name).sort()).toEqual([
      'Azure Arc Kubernetes Admin',
      viewer,
    ])
    await api.call('PATCH', cluster, {
      body: { properties: { aadProfile: { enableAzureRBAC: false } } },
    })
    expect((await ask()).assignments).toEqual([])
    const still = await agentAssignments(api.store.db, other.toLowerCase(), api.clock.now)
    expect(still.assignments).toHaveLength(2)
  })
})

describe('features', () => {
  const configure = (feature: string, enabled: string) =>
    api.call('PATCH', cluster, {
      body: { properties: { arcAgentryConfigurations: [{ feature, settings: { enabled } }] } },
    })
  const credential = (token = 'administrator') =>
    api.call('POST', `${cluster}/listClusterUserCredential`, {
      token,
      body: {
        authenticationMethod: 'AAD',
        clientProxy: true,
        sallyport: { certificateThumbprint: 'A'.repeat(43) },
      },
    })

  test('cluster-connect off refuses credentials, ends sessions, and stays off when the cluster is put again', async () => {
    const session = (await credential()).at('sallyport.sessionId')
    expect(session).toBeTypeOf('string')
    const before = await currentRevision(api.store.db)
    const off = await configure('cluster-connect', 'false')
    expect(off.status).toBe(200)
    const found = await revocationsAfter(api.store.db, before)
    expect(found).toMatchObject([{ kind: 'session', target: session }])
    const refused = await credential()
    expect([refused.status, refused.at('error.code')]).toEqual([409, 'FeatureDisabled'])
    const again = await api.call('PUT', cluster, {
      body: {
        location: 'local',
        identity: { type: 'SystemAssigned' },
        properties: { agentPublicKeyCertificate: agent.onboarding.certificate },
      },
    })
    expect(again.status).toBe(200)
    expect((await credential()).status).toBe(409)
    await configure('cluster-connect', 'true')
    expect((await credential()).status).toBe(200)
  })

  test('depend on each other as documented', async () => {
    await configure('custom-locations', 'true')
    const refused = await configure('cluster-connect', 'false')
    expect(refused.status).toBe(409)
    expect(refused.at('error.message')).toBe(
      "Disabling 'cluster-connect' feature is not allowed when 'custom-locations' feature is enabled.",
    )
    expect((await configure('azure-rbac', 'perhaps')).status).toBe(400)
  })
})

test('the allowlist names hub and relay, once each', async () => {
  const answer = await api.call('GET', '/urls/allowlist?api-version=2020-01-01&location=eastus', {
    token: undefined,
  })
  expect([answer.status, answer.body]).toEqual([200, [new URL(api.url).host]])
  const without = await api.call('GET', '/urls/allowlist?api-version=2020-01-01', {
    token: undefined,
  })
  expect(without.status).toBe(400)
})
