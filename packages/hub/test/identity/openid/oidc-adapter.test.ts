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
