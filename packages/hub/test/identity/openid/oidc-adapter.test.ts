import { PassThrough } from 'node:stream'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createAdapter } from '../../../src/identity/openid/oidc-adapter.ts'
import { insertServicePrincipal } from '../../../src/identity/directory/service-principals.ts'
import { createLog } from '../../../src/server/log.ts'
import { openStore, type Store } from '../../../src/store/store.ts'
import { temporaryDirectory } from '../../hub-fixture.ts'

let now = 1_000_000
let directory: ReturnType<typeof temporaryDirectory>
let store: Store
let woken = 0
const adapter = (model: string) =>
  createAdapter(model, {
    store,
    log: createLog(new PassThrough(), 'fatal'),
    onChange: () => (woken += 1),
    now: () => now,
  })
beforeAll(async () => {
  directory = temporaryDirectory()
  store = await openStore({ directory: directory.path })
})
afterAll(async () => {
  await store.close()
  directory.remove()
})

it('keeps models apart, finds by each index, consumes and forgets', async () => {
  const codes = adapter('DeviceCode')
  await codes.upsert('1', { grantId: 'g', userCode: 'AB', kind: 'DeviceCode' }, 60)
  await adapter('Session').upsert('1', { uid: 'u', kind: 'Session' }, 60)
  await expect(codes.find('1')).resolves.toMatchObject({ userCode: 'AB' })
  await expect(codes.findByUserCode('AB')).resolves.toMatchObject({ grantId: 'g' })
  await expect(codes.findByUid('u')).resolves.toBeUndefined()
  await expect(adapter('Session').findByUid('u')).resolves.toMatchObject({ kind: 'Session' })
  await codes.consume('1')
  await expect(codes.find('1')).resolves.toMatchObject({ consumed: 1_000 })
  await codes.revokeByGrantId('g')
  await expect(codes.find('1')).resolves.toBeUndefined()
  await adapter('Session').destroy('1')
  await expect(adapter('Session').find('1')).resolves.toBeUndefined()
})

it('does not find what has expired', async () => {
  await adapter('Grant').upsert('g', { kind: 'Grant' }, 10)
  now += 9_000
  await expect(adapter('Grant').find('g')).resolves.toBeDefined()
  now += 1_000
  await expect(adapter('Grant').find('g')).resolves.toBeUndefined()
})

it('offers enabled service principals as clients, without their secrets', async () => {
  const made = await insertServicePrincipal(store.db, {
    displayName: 'ci',
    administrator: false,
    now,
  })
  const clients = adapter('Client')
  await expect(clients.find(made.appId)).resolves.toMatchObject({
    client_id: made.appId,
    grant_types: ['client_credentials'],
  })
  await expect(clients.find(made.objectId)).resolves.toBeUndefined()
  await store.db.updateTable('service_principals').set({ enabled: 0 }).execute()
  await expect(clients.find(made.appId)).resolves.toBeUndefined()
})

it.each(['AuthorizationCode', 'RefreshToken', 'DeviceCode'])(
  'keeps of a %s nothing that could be presented',
  async (model) => {
    const secret = `secret-of-${model}`
    const payload = { kind: model, jti: secret, grantId: 'g-hash', userCode: 'CODE' }
    await adapter(model).upsert(secret, payload, 60)
    const rows = await store.db.selectFrom('oidc').selectAll().where('model', '=', model).execute()
    expect(JSON.stringify(rows)).not.toContain(secret)
    await expect(adapter(model).find(secret)).resolves.toMatchObject({ jti: secret })
    await expect(adapter(model).find(rows[0]?.id ?? '')).resolves.toBeUndefined()
  },
)

it('X084 ends the grant, and tells agents, when a refresh token comes back after its use', async () => {
  const accountId = '7d0c2f5e-5c8a-4f60-9a3f-2b8f3f0c1a11'
  await adapter('Grant').upsert('g2', { kind: 'Grant', accountId }, 60)
  await adapter('RefreshToken').upsert('r1', { kind: 'RefreshToken', grantId: 'g2' }, 60)
  await adapter('RefreshToken').upsert('r2', { kind: 'RefreshToken', grantId: 'g2' }, 60)
  await adapter('RefreshToken').consume('r1')
  woken = 0
  await expect(adapter('RefreshToken').consume('r1')).rejects.toThrow()
  expect(woken).toBe(1)
  await expect(adapter('RefreshToken').find('r2')).resolves.toBeUndefined()
  await expect(adapter('Grant').find('g2')).resolves.toBeUndefined()
  const revoked = await store.db.selectFrom('revocations').select(['kind', 'target']).execute()
  expect(revoked).toContainEqual({ kind: 'principal', target: accountId })
})
