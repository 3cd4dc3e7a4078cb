/**
 * The groups of a session, told to the agent of its cluster and to nobody else.
 * @module
 */
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { agentApiPaths } from '@sallyport/protocol'
import { issueSession } from '../../src/registry/sessions.ts'
import { revoke } from '../../src/registry/revocations.ts'
import { enrolledCluster, makeAssertion } from './support/agent.ts'
import { administrator, startApi, type Answer, type ApiFixture } from './support/api-fixture.ts'

let api: ApiFixture
type Enrolled = Awaited<ReturnType<typeof enrolledCluster>>
let cluster: Enrolled
beforeEach(async () => {
  api = await startApi()
  cluster = await enrolledCluster(api, 'rg', 'c1')
})
afterEach(async () => {
  await api[Symbol.asyncDispose]()
})

const ask = async (sessionId: unknown, as: Enrolled = cluster): Promise<Answer> =>
  api.call('POST', agentApiPaths.groups, {
    token: await makeAssertion(api, { agentId: as.agentId, key: as.keys.privateKey }),
    body: { sessionId },
  })

async function session(principalId: string): Promise<string> {
  const { cluster_key: clusterKey } = await api.store.db
    .selectFrom('agents')
    .select('cluster_key')
    .where('agent_id', '=', cluster.agentId)
    .executeTakeFirstOrThrow()
  const now = api.clock.now
  return issueSession(api.store, {
    principalId,
    clusterKey,
    auth: 'AAD',
    sessionId: undefined,
    now,
  })
}

/** Makes a principal; returns its object id. */
async function principalOf(kind: 'user' | 'servicePrincipal'): Promise<string> {
  const id = randomUUID()
  const common = { object_id: id, display_name: id, enabled: 1, administrator: 0, created_at: 0 }
  if (kind === 'user')
    await api.store.db
      .insertInto('users')
      .values({
        ...common,
        user_principal_name: id,
        upn_key: id,
        mail: null,
        password_hash: null,
        revoked_seq: 0,
      })
      .execute()
  else
    await api.store.db
      .insertInto('service_principals')
      .values({ ...common, app_id: id })
      .execute()
  return id
}

/** Groups in a chain, the principal in the first; each contains the one before. */
async function chain(memberId: string, kind: 'user' | 'servicePrincipal', count: number) {
  const ids = Array.from({ length: count }, () => randomUUID()).sort()
  for (const [index, id] of ids.entries()) {
    await api.store.db
      .insertInto('directory_groups')
      .values({ object_id: id, display_name: id, description: null, created_at: 0 })
      .execute()
    const member = ids[index - 1]
    await api.store.db
      .insertInto('group_members')
      .values({
        group_id: id,
        member_id: member ?? memberId,
        member_kind: member === undefined ? kind : 'group',
      })
      .execute()
  }
  return ids
}

test.each(['user', 'servicePrincipal'] as const)(
  'a %s gets all groups, those that contain others too, once each, also in a circle',
  async (kind) => {
    const principal = await principalOf(kind)
    const ids = await chain(principal, kind, 50)
    await api.store.db
      .insertInto('group_members')
      .values({ group_id: ids[0] ?? '', member_id: ids[49] ?? '', member_kind: 'group' })
      .execute()
    const answer = await ask(await session(principal))
    expect(answer.status).toBe(200)
    expect(answer.body).toEqual({ objectId: principal, rev: 0, groups: ids })
  },
)

test('the number of the latest revocation comes along', async () => {
  const id = await session(await principalOf('user'))
  await api.store.transaction((trx) =>
    revoke(trx, { kind: 'all' }, { reason: 'test', now: api.clock.now }),
  )
  expect((await ask(id)).body).toMatchObject({ rev: 1, groups: [] })
})

test('a session of another cluster, an ended one, an unknown one and one of a disabled principal are answered alike', async () => {
  const principal = await principalOf('user')
  const id = await session(principal)
  const other = await enrolledCluster(api, 'rg', 'c2')
  const foreign = await ask(id, other)
  expect(foreign.status).toBe(403)
  const unknown = await ask(randomUUID())
  await api.store.db
    .updateTable('sessions')
    .set({ ended_at: api.clock.now })
    .where('session_id', '=', id)
    .execute()
  const ended = await ask(id)
  expect([unknown.status, ended.status]).toEqual([403, 403])
  await api.store.db
    .updateTable('sessions')
    .set({ ended_at: null })
    .where('session_id', '=', id)
    .execute()
  expect((await ask(id)).status).toBe(200)
  await api.store.db
    .updateTable('users')
    .set({ enabled: 0 })
    .where('object_id', '=', principal)
    .execute()
  const disabled = await ask(id)
  const text = (answer: Answer): string =>
    JSON.stringify(answer.body).replace(/"requestId":"[^"]+"/, '')
  expect(text(ended)).toBe(text(foreign))
  expect(text(unknown)).toBe(text(foreign))
  expect(text(disabled)).toBe(text(foreign))
})

test.each([undefined, 7, 'x', "' OR 1=1 --"])('%o is no session id', async (id) => {
  expect((await ask(id)).status).toBe(400)
})

test('T-AGT-1 nobody but an agent asks', async () => {
  const id = await session(administrator.objectId)
  for (const token of ['administrator', 'stranger', ''])
    expect(
      (await api.call('POST', agentApiPaths.groups, { token, body: { sessionId: id } })).status,
    ).toBe(401)
})
