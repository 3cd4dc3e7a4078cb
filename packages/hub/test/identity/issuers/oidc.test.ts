import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from 'vitest'
import type { IssuerPut } from '@sallyport/protocol'
import { outsideObjectId } from '../../../src/identity/issuers/object-id.ts'
import { revocationsAfter } from '../../../src/registry/revocations.ts'
import { playedKey, playIssuer, type PlayedIssuer } from './support/played-issuer.ts'
import { signInRig, type SignInRig } from './support/sign-in-rig.ts'

const clientId = 'sallyport'

let played: PlayedIssuer
let rig: SignInRig
let issuer: string

beforeAll(async () => {
  played = await playIssuer()
  rig = await signInRig([played.ca])
  issuer = `${played.origin}/main/v2.0`
})
afterAll(async () => {
  await rig[Symbol.asyncDispose]()
  await played[Symbol.asyncDispose]()
})
beforeEach(async () => {
  played.claims = {}
  played.payload = undefined
  played.header = {}
  played.redirect = {}
  played.discovery = {}
  for (const { alias } of await rig.management.list()) await rig.management.remove(alias)
  await rig.store.db.deleteFrom('users').execute()
  await configure()
})

const settings = (more: Partial<IssuerPut> = {}): IssuerPut => ({
  kind: 'oidc',
  issuer,
  clientId,
  clientSecret: played.clientSecret,
  skipCheck: true,
  ...more,
})
const configure = (more: Partial<IssuerPut> = {}) => rig.put('main', settings(more))
const signIn = () => rig.signIn('main', played.ca)
const users = () => rig.store.db.selectFrom('users').selectAll().execute()
const sub = 'AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ'

async function expectRefused(text = ''): Promise<void> {
  const arrival = await signIn()
  expect(arrival.objectId).toBeUndefined()
  expect(arrival.status, arrival.text).toBe(403)
  expect(arrival.text).toContain(text)
  expect(await users()).toEqual([])
}

describe('a person', () => {
  it('gets the object id of issuer and subject, and prefixed groups', async () => {
    played.claims = { groups: ['/platform', 'dev ops'] }
    const { objectId = '' } = await signIn()
    expect(objectId).toBe(outsideObjectId(issuer, sub))
    const groups = await rig.store.db.selectFrom('outside_groups').selectAll().execute()
    expect(groups.map((row) => row.group_name)).toEqual(['main:/platform', 'main:dev ops'])
  })
  it('is renamed at a later sign-in and stays the same', async () => {
    const first = await signIn()
    played.claims = { name: 'Abraham Lincoln', preferred_username: 'abe' }
    const second = await signIn()
    expect(second.objectId).toBe(first.objectId)
    expect(await users()).toMatchObject([
      { display_name: 'Abraham Lincoln', user_principal_name: 'abe@main' },
    ])
  })
  it('X050 of the same name and a new subject is somebody else', async () => {
    const first = await signIn()
    played.claims = { sub: 'somebody-new' }
    const second = await signIn()
    expect(second.objectId).not.toBe(first.objectId)
    expect((await users()).map((user) => user.user_principal_name).sort()).toEqual(
      ['AbeLi@example.com', `${second.objectId ?? ''}@main`].sort(),
    )
  })
  it('X049 of the same subject at another issuer is somebody else', async () => {
    await rig.put('other', settings({ issuer: `${played.origin}/other/v2.0` }))
    const first = await signIn()
    const second = await rig.signIn('other', played.ca)
    expect(second.status).toBe(200)
    expect(second.objectId).not.toBe(first.objectId)
  })
  it('stays disabled once disabled', async () => {
    await signIn()
    await rig.store.db.updateTable('users').set({ enabled: 0 }).execute()
    const arrival = await signIn()
    expect(arrival).toMatchObject({ status: 403, objectId: undefined })
    expect(arrival.text).toContain('disabled')
    expect(await users()).toMatchObject([{ enabled: 0 }])
  })
  it('whose object id is somebody else’s is refused and logged', async () => {
    await rig.store.db
      .insertInto('service_principals')
      .values({
        object_id: outsideObjectId(issuer, sub),
        app_id: 'app',
        display_name: 'ours',
        enabled: 1,
        administrator: 1,
        created_at: 0,
      })
      .execute()
    await expectRefused('belongs to somebody else')
    expect(rig.log()).toContain('"reason":"collision"')
    await rig.store.db.deleteFrom('service_principals').execute()
  })
  it('who leaves a group has what agents know of them revoked, who joins one has not', async () => {
    played.claims = { groups: ['a', 'b'] }
    const { objectId } = await signIn()
    const before = (await revocationsAfter(rig.store.db, 0))?.length ?? 0
    const changes = rig.changes()
    played.claims = { groups: ['a', 'b', 'c'] }
    await signIn()
    expect(await revocationsAfter(rig.store.db, before)).toEqual([])
    played.claims = { groups: ['c'] }
    await signIn()
    expect(await revocationsAfter(rig.store.db, before)).toMatchObject([
      { kind: 'principal', target: objectId },
    ])
    expect(rig.changes()).toBe(changes + 1)
  })
})

describe('names that may not be', () => {
  test.each([
    'system:masters',
    'SYSTEM:masters',
    'ѕystem:masters',
    ' system:masters',
    'kubeadm:cluster-admins',
    'x:masters',
    'a\u0000b',
    'a,b',
    '',
    'x'.repeat(300),
  ])('a group %j refuses the person', async (group) => {
    played.claims = { groups: ['good', group] }
    await expectRefused('may not be named in a cluster')
  })
  it('a name with hidden characters refuses the person', async () => {
    played.claims = { name: 'Abe\u202eniloc' }
    await expectRefused('cannot be shown')
  })
  it('X034 a reference instead of groups refuses the person', async () => {
    played.claims = { _claim_names: { groups: 'src1' } }
    await expectRefused('reference instead of the groups')
  })
})

describe('X048 with requireVerifiedMail', () => {
  test.each(['true', 'false', 1, 0, null, undefined])('email_verified %j is not', async (value) => {
    await configure({ requireVerifiedMail: true })
    played.claims = { email: 'abe@corp.example', email_verified: value }
    await expectRefused('verified')
  })
  test.each<[string, number]>([
    ['abe@corp.example', 200],
    ['abe@CORP.example', 200],
    ['abe@evil.example', 403],
    ['abe@sub.corp.example', 403],
    ['abe@evil.example@corp.example', 403],
  ])('X047 domains let %s in: %d', async (email, status) => {
    await configure({ domains: ['corp.example'] })
    played.claims = { email, email_verified: true }
    expect(await signIn()).toMatchObject({ status })
  })
})

describe('ID tokens that are none', () => {
  const second = () => Math.floor(Date.now() / 1000)
  test.each<[string, () => Record<string, unknown>]>([
    ['X065 audience in a list', () => ({ aud: [clientId] })],
    ['X065 audience among others', () => ({ aud: [clientId, 'other'], azp: clientId })],
    ['X065 audience with a suffix', () => ({ aud: `${clientId}/` })],
    ['X065 audience in upper case', () => ({ aud: 'SALLYPORT' })],
    ['X066 issuer with a slash', () => ({ iss: `${issuer}/` })],
    ['X066 issuer in upper case', () => ({ iss: issuer.replace('localhost', 'LOCALHOST') })],
    ['X066 issuer with a user', () => ({ iss: issuer.replace('https://', 'https://a@') })],
    ['X067 another issuer', () => ({ iss: `${played.origin}/other/v2.0` })],
    ['X069 another client', () => ({ aud: 'other' })],
    ['X069 another azp', () => ({ azp: 'other' })],
    ['X069 Keycloak’s access token', () => ({ typ: 'Bearer' })],
    ['another nonce', () => ({ nonce: 'other' })],
    ['no nonce', () => ({ nonce: undefined })],
    ['no subject', () => ({ sub: undefined })],
    ['an empty subject', () => ({ sub: '' })],
    ['a subject with a line feed', () => ({ sub: 'a\nb' })],
    ['T-JWT-10 expired', () => ({ exp: second() - 120 })],
    ['T-JWT-10 from the future', () => ({ iat: second() + 600, nbf: undefined })],
    ['T-JWT-10 old', () => ({ iat: second() - 3600, nbf: undefined })],
    ['T-JWT-10 times as text', () => ({ exp: String(second() + 600) })],
  ])('%s', async (_name, claims) => {
    played.claims = claims()
    await expectRefused()
  })
  test.each<[string, Record<string, unknown>]>([
    ['X069 typ of an access token', { typ: 'at+jwt' }],
    ['T-JWT-2 jku', { jku: 'https://evil.example/keys' }],
    ['T-JWT-2 jwk', { jwk: { kty: 'oct', k: 'AAAA' } }],
    ['T-JWT-2 kid that is a path', { kid: '../../keys/access-token.json' }],
  ])('%s', async (_name, header) => {
    played.header = header
    await expectRefused()
  })
  it('X045 a member twice', async () => {
    played.payload = (claims) => JSON.stringify(claims).replace('{', '{"groups":[],"groups":["a"],')
    await expectRefused('member twice')
  })
  it('X067 signed by another key of the same id', async () => {
    const { key } = played
    // The keys are kept from an honest sign-in; the token then comes from somebody else.
    await signIn()
    await rig.store.db.deleteFrom('users').execute()
    played.key = await playedKey(key.kid)
    await expectRefused()
    played.key = key
  })
  it('too long', async () => {
    played.claims = { groups: Array.from({ length: 450 }, (_, i) => `${'x'.repeat(80)}${i}`) }
    await expectRefused('longer than')
  })
})

describe('X082 the way back', () => {
  const back = async (): Promise<URL> => {
    const address = await rig.depart('main', played.ca)
    if (typeof address !== 'string') throw new Error(address.text)
    return new URL(address)
  }
  it('works once', async () => {
    const address = (await back()).href
    expect(await rig.arrive(address)).toMatchObject({ status: 200 })
    expect(await rig.arrive(address)).toMatchObject({ status: 403 })
  })
  it('is only for the browser it began in', async () => {
    const address = (await back()).href
    expect(await rig.arrive(address, 'interaction=browser2')).toMatchObject({ status: 403 })
    expect(await rig.arrive(address, 'x=y')).toMatchObject({ status: 403 })
    expect(await users()).toEqual([])
  })
  test.each<[string, Record<string, string>]>([
    ['another state', { state: 'x'.repeat(43) }],
    ['no code', { code: '' }],
    ['a made-up code', { code: 'ffff' }],
    ['an error', { error: 'access_denied' }],
    ['RFC 9207 another issuer', { iss: 'https://evil.example' }],
  ])('is refused with %s', async (_name, changes) => {
    const address = await back()
    for (const [name, value] of Object.entries(changes)) address.searchParams.set(name, value)
    expect(await rig.arrive(address.href)).toMatchObject({ status: 403 })
    expect(await users()).toEqual([])
  })
  it('RFC 9207 needs the issuer where it is promised', async () => {
    played.discovery = { authorization_response_iss_parameter_supported: true }
    expect(await signIn()).toMatchObject({ status: 403 })
    played.redirect = { iss: issuer }
    expect(await signIn()).toMatchObject({ status: 200 })
  })
  it('is refused with the code of another sign-in', async () => {
    const first = await back()
    const second = await back()
    second.searchParams.set('code', first.searchParams.get('code') ?? '')
    expect(await rig.arrive(second.href)).toMatchObject({ status: 403 })
  })
  it('is over after ten minutes', async () => {
    const address = (await back()).href
    rig.clock.offset = 10 * 60_000
    expect(await rig.arrive(address)).toMatchObject({ status: 403 })
    rig.clock.offset = 0
  })
  it('is closed when the issuer was disabled meanwhile', async () => {
    const address = (await back()).href
    await configure({ enabled: false })
    const arrival = await rig.arrive(address)
    expect(arrival.status).toBe(403)
    expect(arrival.text).toContain('does not offer')
    expect(await rig.listSignInOptions()).toEqual([])
  })
})

describe('discovery', () => {
  test.each<[string, () => Record<string, unknown>]>([
    ['of another issuer', () => ({ issuer: `${issuer}/` })],
    ['with endpoints at another host', () => ({ token_endpoint: 'https://evil.example/token' })],
    ['with endpoints without TLS', () => ({ token_endpoint: 'http://localhost/token' })],
  ])('%s sends nobody there', async (_name, discovery) => {
    played.discovery = discovery()
    const arrival = await signIn()
    expect(arrival.status).toBe(503)
  })
})

it('the client secret is in no log and not in the store', async () => {
  await signIn()
  expect(rig.log()).not.toContain(played.clientSecret)
  const rows = await rig.store.db.selectFrom('outside_issuers').selectAll().execute()
  expect(JSON.stringify(rows)).not.toContain(played.clientSecret)
})
