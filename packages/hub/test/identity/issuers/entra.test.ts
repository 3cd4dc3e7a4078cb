import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from 'vitest'
import { playIssuer, type PlayedIssuer } from './support/played-issuer.ts'
import { signInRig, type SignInRig } from './support/sign-in-rig.ts'

const oid = '00000000-0000-4000-8000-66f3332eca7e'
const clientId = '6731de76-14a6-49ae-97bc-6eba6914391e'
const groups = ['aaaaaaaa-0000-4000-8000-000000000001', 'aaaaaaaa-0000-4000-8000-000000000002']
const otherTenant = 'bbbbbbbb-0000-4000-8000-000000000000'

let entra: PlayedIssuer
let rig: SignInRig

beforeAll(async () => {
  entra = await playIssuer()
  rig = await signInRig([entra.ca])
})
afterAll(async () => {
  await rig[Symbol.asyncDispose]()
  await entra[Symbol.asyncDispose]()
})
beforeEach(async () => {
  entra.claims = {}
  entra.graph = { status: 200, groups: [] }
  entra.requests = []
  entra.asked = []
  await rig.management.remove('corp')
  await rig.store.db.deleteFrom('users').execute()
  await configure('2.0')
})

async function configure(version: '1.0' | '2.0', more: { guestTenants?: string[] } = {}) {
  await rig.management.remove('corp')
  await rig.put('corp', {
    kind: 'entra',
    issuer: `${entra.origin}/${entra.tenantId}${version === '2.0' ? '/v2.0' : '/'}`,
    clientId,
    clientSecret: entra.clientSecret,
    authority: entra.origin,
    graph: entra.origin,
    ...more,
  })
}

const groupsOf = async (objectId: string): Promise<string[]> => {
  const rows = await rig.store.db
    .selectFrom('outside_groups')
    .select('group_name')
    .where('object_id', '=', objectId)
    .orderBy('group_name')
    .execute()
  return rows.map((row) => row.group_name)
}

describe.each(['1.0', '2.0'] as const)('a token of version %s', (version) => {
  it('is the person of its oid, with the groups it lists', async () => {
    await configure(version)
    entra.claims = { groups }
    const arrival = await rig.signIn('corp', entra.ca)
    expect(arrival).toMatchObject({ status: 200, objectId: oid })
    expect(await groupsOf(oid)).toEqual(groups)
    const user = await rig.store.db.selectFrom('users').selectAll().executeTakeFirstOrThrow()
    expect(user).toMatchObject({
      object_id: oid,
      user_principal_name: 'AbeLi@example.com',
      display_name: 'Abe Lincoln',
      password_hash: null,
      administrator: 0,
    })
  })
  it('X068 of the other version is refused', async () => {
    await configure(version)
    entra.claims = { ver: version === '1.0' ? '2.0' : '1.0' }
    expect(await rig.signIn('corp', entra.ca)).toMatchObject({
      status: 403,
      text: expect.stringContaining('not of version') as unknown,
    })
  })
})

it('a v1.0 sign-in asks for a Graph token by resource, a v2.0 one by scope', async () => {
  await rig.signIn('corp', entra.ca)
  await configure('1.0')
  await rig.signIn('corp', entra.ca)
  const [next, old] = entra.asked
  expect(next?.get('scope')).toBe(`openid profile email ${entra.origin}/User.Read`)
  expect(next?.get('resource')).toBeNull()
  expect(old?.get('resource')).toBe(entra.origin)
  expect(next?.get('code_challenge_method')).toBe('S256')
})

const references = (endpoint: string) => ({
  _claim_names: { groups: 'src1' },
  _claim_sources: { src1: { endpoint } },
})

describe('X034 groups that did not fit into the token', () => {
  const many = Array.from(
    { length: 5_000 },
    (_, index) => `aaaaaaaa-0000-4000-8000-${String(index).padStart(12, '0')}`,
  )
  it.each([
    ['_claim_names', () => references(`${entra.origin}/never/getMemberObjects`)],
    ['hasgroups', () => ({ hasgroups: true })],
    ['hasgroups as text', () => ({ hasgroups: 'true' })],
  ])('are asked of the configured Graph (%s), 5,000 of them', async (_name, claims) => {
    entra.claims = claims()
    entra.graph.groups = many
    expect(await rig.signIn('corp', entra.ca)).toMatchObject({ status: 200, objectId: oid })
    expect(await groupsOf(oid)).toEqual(many)
    expect(entra.requests).toContain('/v1.0/me/getMemberObjects')
    expect(entra.requests).not.toContain('/never/getMemberObjects')
  })
  it.each([403, 401])(
    'refuse the person when Graph says %d, whatever the token lists besides',
    async (status) => {
      entra.claims = { ...references('https://graph.windows.net/x'), groups }
      entra.graph.status = status
      const arrival = await rig.signIn('corp', entra.ca)
      expect(arrival.status).toBe(403)
      expect(arrival.text).toContain('User.Read')
      expect(await rig.store.db.selectFrom('users').selectAll().execute()).toEqual([])
    },
  )
  it('let nobody in while Graph is down', async () => {
    entra.claims = { hasgroups: true }
    entra.graph.status = 503
    const arrival = await rig.signIn('corp', entra.ca)
    expect(arrival.status).toBe(503)
    expect(arrival.text).toContain('Microsoft Graph answered 503')
  })
})

describe('X068 whoever is not a member of the tenant is refused', () => {
  test.each<[string, Record<string, unknown>, string]>([
    ['another tenant', { tid: otherTenant }, 'another tenant'],
    ['no tenant', { tid: undefined }, 'another tenant'],
    ['a personal account', { tid: '9188040d-6c67-4c5b-b112-36a304b66dad' }, 'ersonal'],
    ['an application', { idtyp: 'app' }, 'application'],
    ['an application that does not say so', { sub: oid }, 'application'],
    ['an odd idtyp', { idtyp: 1 }, 'application'],
    ['no object id', { oid: undefined }, 'no object id'],
    ['an object id that is none', { oid: 'system:masters' }, 'no object id'],
    ['a guest by idp', { idp: `https://sts.windows.net/${otherTenant}/` }, 'uests of the tenant'],
    ['a guest by acct', { acct: 1 }, 'uests of the tenant'],
    ['a guest by acct as text', { acct: '1' }, 'uests of the tenant'],
    ['a guest with a personal account', { idp: 'live.com' }, 'uests of the tenant'],
    ['groups by name', { groups: ['Domain Admins'] }, 'groups by name'],
    ['a reserved group', { groups: ['system:masters'] }, 'groups by name'],
    ['groups that are no list', { groups: groups[0] }, 'not a list'],
  ])('%s', async (_name, claims, text) => {
    entra.claims = claims
    const arrival = await rig.signIn('corp', entra.ca)
    expect(arrival.status).toBe(403)
    expect(arrival.text).toContain(text)
    expect(await rig.store.db.selectFrom('users').selectAll().execute()).toEqual([])
  })
})

describe('T-JWT-5 guests', () => {
  const guest = { idp: `https://sts.windows.net/${otherTenant}/`, acct: 1 }
  it('of a tenant that is let in sign in', async () => {
    await configure('2.0', { guestTenants: [otherTenant.toUpperCase()] })
    entra.claims = guest
    expect(await rig.signIn('corp', entra.ca)).toMatchObject({ status: 200, objectId: oid })
  })
  it('of another one do not', async () => {
    await configure('2.0', { guestTenants: ['cccccccc-0000-4000-8000-000000000000'] })
    entra.claims = guest
    expect(await rig.signIn('corp', entra.ca)).toMatchObject({ status: 403 })
  })
  it('of any kind do with *', async () => {
    await configure('2.0', { guestTenants: ['*'] })
    entra.claims = { idp: 'google.com' }
    expect(await rig.signIn('corp', entra.ca)).toMatchObject({ status: 200 })
  })
  it('a member whose idp is the tenant itself is no guest', async () => {
    entra.claims = { idp: `https://sts.windows.net/${entra.tenantId}/`, acct: 0 }
    expect(await rig.signIn('corp', entra.ca)).toMatchObject({ status: 200 })
  })
})

describe('T-JWT-4 an issuer of everybody is refused', () => {
  test.each([
    'https://login.microsoftonline.com/common/v2.0',
    'https://login.microsoftonline.com/organizations/v2.0',
    'https://login.microsoftonline.com/consumers/v2.0',
    'https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0',
    'https://login.microsoftonline.com/contoso.onmicrosoft.com/v2.0',
    `https://login.microsoftonline.com/${otherTenant}`,
    `https://login.microsoftonline.com/${otherTenant.toUpperCase()}/v2.0`,
    `https://login.microsoftonline.com/${otherTenant}/v2.0/`,
    `https://evil.example/${otherTenant}/v2.0`,
    `https://login.microsoftonline.com@evil.example/${otherTenant}/v2.0`,
    `https://LOGIN.microsoftonline.com/${otherTenant}/v2.0`,
    `https://login.microsoftonline.com:443/${otherTenant}/v2.0`,
  ])('%s', async (issuer) => {
    await expect(
      rig.put('everybody', { kind: 'entra', issuer, clientId, skipCheck: true }),
    ).rejects.toMatchObject({ code: 'ERR_ARM_INVALID_REQUEST' })
  })
  test.each([
    [`https://login.microsoftonline.com/${otherTenant}/v2.0`, 'https://graph.microsoft.com'],
    [`https://sts.windows.net/${otherTenant}/`, 'https://graph.microsoft.com'],
    [`https://login.microsoftonline.us/${otherTenant}/v2.0`, 'https://graph.microsoft.us'],
  ])('but a tenant is not: %s', async (issuer, graph) => {
    const { issuer: saved } = await rig.put('tenant', {
      kind: 'entra',
      issuer,
      clientId,
      skipCheck: true,
    })
    expect(saved.groupsPrefix).toBe('')
    if (issuer.endsWith('/v2.0')) expect(saved.scopes).toContain(`${graph}/User.Read`)
    await rig.management.remove('tenant')
  })
})
