/**
 * An issuer that is disabled or deleted takes the sign-ins of its people with it, and nobody else's.
 * @module
 */
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { IssuerPut } from '@sallyport/protocol'
import { insertUser } from '../../../src/identity/directory/users.ts'
import { revocationsAfter } from '../../../src/registry/revocations.ts'
import { playIssuer, type PlayedIssuer } from './support/played-issuer.ts'
import { signInRig, type SignInRig } from './support/sign-in-rig.ts'

let played: PlayedIssuer
let rig: SignInRig
let person: string
let colleague: string

const put = (more: Partial<IssuerPut> = {}) =>
  rig.put('main', {
    kind: 'oidc',
    issuer: `${played.origin}/main/v2.0`,
    clientId: 'sallyport',
    clientSecret: played.clientSecret,
    skipCheck: true,
    ...more,
  })

beforeEach(async () => {
  played = await playIssuer()
  rig = await signInRig([played.ca])
  await put()
  person = (await rig.signIn('main', played.ca)).objectId ?? ''
  const userPrincipalName = 'ours@example.org'
  const ours = { userPrincipalName, displayName: 'ours', now: 1 }
  colleague = (await rig.store.transaction((trx) => insertUser(trx, ours))).objectId
  for (const objectId of [person, colleague]) await addGrant(objectId)
})
afterEach(async () => {
  await rig[Symbol.asyncDispose]()
  await played[Symbol.asyncDispose]()
})

/** More people of the issuer. */
async function addPeople(count: number): Promise<void> {
  const { db } = rig.store
  const one = await db.selectFrom('users').selectAll().executeTakeFirstOrThrow()
  const ids = Array.from({ length: count }, () => randomUUID())
  const users = ids.map((id) => ({
    ...one,
    ...{ object_id: id, user_principal_name: `${id}@main`, upn_key: `${id}@main` },
  }))
  const issuer = `${played.origin}/main/v2.0`
  const accounts = ids.map((id) => ({ issuer, subject: id, object_id: id, created_at: 1 }))
  await db.insertInto('users').values(users).execute()
  await db.insertInto('outside_accounts').values(accounts).execute()
}

/** What the provider keeps of a sign-in. */
async function addGrant(accountId: string): Promise<void> {
  const row = { user_code: null, uid: null, grant_id: null, consumed_at: null, expires_at: null }
  await rig.store.db
    .insertInto('oidc')
    .values({
      ...row,
      model: 'Grant',
      id: `of ${accountId}`,
      account_id: accountId,
      payload: JSON.stringify({ accountId }),
    })
    .execute()
}
const grants = async () =>
  (await rig.store.db.selectFrom('oidc').select('account_id').execute()).map(
    (row) => row.account_id,
  )
const revoked = async () => (await revocationsAfter(rig.store.db, 0)) ?? []
const tooOld = async (objectId: string) =>
  (await rig.store.db
    .selectFrom('users')
    .select('revoked_seq')
    .where('object_id', '=', objectId)
    .executeTakeFirst()) ?? { revoked_seq: undefined }

describe.each([
  ['disabled', () => put({ enabled: false })],
  ['deleted', () => rig.management.remove('main')],
])('%s', (_reason, close) => {
  it('ends the sign-ins of its people, access tokens and grants included', async () => {
    const changes = rig.changes()
    await close()
    const [revocation, ...more] = await revoked()
    expect(more).toEqual([])
    expect(revocation).toMatchObject({ kind: 'principal', target: person })
    expect(await tooOld(person)).toEqual({ revoked_seq: revocation?.seq })
    expect(await tooOld(colleague)).toEqual({ revoked_seq: 0 })
    expect(await grants()).toEqual([colleague])
    expect(rig.changes()).toBe(changes + 1)
    expect((await rig.signIn('main', played.ca)).status).toBe(403)
  })
  it('ends those of everybody when they are more than 500', async () => {
    await addPeople(500)
    await close()
    const [revocation] = await revoked()
    expect(revocation).toMatchObject({ kind: 'all' })
    expect(await tooOld(colleague)).toEqual({ revoked_seq: revocation?.seq })
    expect(await grants()).toEqual([])
  })
})

it('a change that leaves it enabled ends nothing, nor does closing it twice', async () => {
  await put({ displayName: 'Main' })
  expect(await revoked()).toEqual([])
  await put({ enabled: false })
  await put({ enabled: false })
  expect(await revoked()).toHaveLength(1)
})
