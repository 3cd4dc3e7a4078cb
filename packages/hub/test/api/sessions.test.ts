/**
 * Sessions at the hub: who sees and ends which, and what an ended one is worth.
 * @module
 */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { endSignIn } from '../../src/identity/openid/sign-ins.ts'
import { currentRevision, revocationsAfter } from '../../src/registry/revocations.ts'
import { issueSession } from '../../src/registry/sessions.ts'
import { enrolledCluster } from './support/agent.ts'
import { startApi, type ApiFixture } from './support/api-fixture.ts'

const base = '/sallyport/v1/sessions'
let api: ApiFixture
let path: string
beforeEach(async () => {
  api = await startApi()
  ;({ path } = await enrolledCluster(api, 'rg', 'c1'))
})
afterEach(async () => {
  await api[Symbol.asyncDispose]()
})

const credential = (sessionId?: string) =>
  api.call('POST', `${path}/listClusterUserCredential`, {
    body: {
      authenticationMethod: 'AAD',
      clientProxy: true,
      sallyport: {
        certificateThumbprint: 't'.repeat(43),
        ...(sessionId === undefined ? {} : { sessionId }),
      },
    },
  })
const opened = async (): Promise<string> => (await credential()).at('sallyport.sessionId') as string

test('an ended session is not renewed, and agents hear of it', async () => {
  const id = await opened()
  expect((await api.call('GET', `${base}/${id}`)).body).toMatchObject({
    sessionId: id,
    clusterId: path,
    authenticationMethod: 'AAD',
  })
  expect((await credential(id)).at('sallyport.sessionId')).toBe(id)
  const { turn } = api.context.changes
  expect((await api.call('DELETE', `${base}/${id}`)).status).toBe(204)
  expect(api.context.changes.turn).toBeGreaterThan(turn)
  expect(await currentRevision(api.store.db)).toBe(1)
  const refused = await credential(id)
  expect(refused.status).toBe(403)
  expect(refused.at('error.additionalInfo.0.info.code')).toBe('ERR_SESSION_ENDED')
  expect((await api.call('DELETE', `${base}/${id}`)).status).toBe(204)
  expect(await currentRevision(api.store.db)).toBe(1)
  expect((await api.call('GET', `${base}/${id}`)).at('endedAt')).toBeTypeOf('string')
})

test('are listed in pages, by cluster and by principal', async () => {
  const ids = [await opened(), await opened(), await opened()].toSorted()
  const first = await api.call('GET', `${base}?$top=2&cluster=${encodeURIComponent(path)}`)
  const shown = first.at('value') as { sessionId: string }[]
  expect(shown.map(({ sessionId }) => sessionId)).toEqual(ids.slice(0, 2))
  expect(first.at('nextLink')).toBeTypeOf('string')
})

test('a stranger sees and ends nothing of others, and is not told what there is', async () => {
  const id = await opened()
  const token = 'stranger'
  for (const [method, where] of [
    ['GET', base],
    ['GET', `${base}/${id}`],
    ['DELETE', `${base}/${id}`],
    ['GET', `${base}/00000000-0000-4000-8000-000000000000`],
  ] as const) {
    expect((await api.call(method, where, { token })).status).toBe(403)
  }
  const own = `${base}?principal=11111111-2222-4333-8444-555555555555`
  expect((await api.call('GET', own, { token })).body).toEqual({ value: [] })
})

test('X085 only an administrator rotates keys', async () => {
  const body = { use: 'cluster-token', retire: 'now' }
  const rotate = '/sallyport/v1/signingKeys/rotate'
  expect((await api.call('POST', rotate, { body, token: 'stranger' })).status).toBe(403)
  const answer = await api.call('POST', rotate, { body })
  expect(answer.at('kid')).toBe(api.keys.signing.kid)
  expect(api.keys.publicKeys()).toHaveLength(1)
})

test('end with the sign-in of their person, others stay', async () => {
  const { db } = api.store
  const { cluster_key: clusterKey } = await db
    .selectFrom('clusters')
    .select('cluster_key')
    .executeTakeFirstOrThrow()
  const grant = { model: 'Grant', payload: '{}', account_id: 'p1', expires_at: null }
  await db
    .insertInto('oidc')
    .values({ id: 'laptop', ...grant })
    .execute()
  const now = api.context.now()
  const session = (signIn: string | undefined, sessionId?: string): Promise<string> =>
    issueSession(api.store, {
      ...{ principalId: 'p1', clusterKey, auth: 'AAD', now },
      ...{ sessionId, signIn },
    })
  const ended = await session('laptop')
  const moved = await session('laptop')
  // Renewed after a new sign-in on the same machine: it belongs to that one now.
  await session('desktop', moved)
  await session(undefined)
  const before = await currentRevision(db)
  await endSignIn(api.store, { id: 'laptop', now })
  expect(await revocationsAfter(db, before)).toMatchObject([{ kind: 'session', target: ended }])
  await expect(session('desktop', ended)).rejects.toThrow('the session was ended at the hub')
  await expect(session('desktop', moved)).resolves.toBe(moved)
})
