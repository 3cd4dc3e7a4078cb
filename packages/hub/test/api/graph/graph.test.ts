/**
 * The directory as Graph clients see it, in the running application.
 * @module
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { limits } from '@sallyport/protocol'
import { findUser } from '../../../src/identity/directory/users.ts'
import { revocationsAfter } from '../../../src/registry/revocations.ts'
import { administrator, startApi, type Answer, type ApiFixture } from '../support/api-fixture.ts'

let api: ApiFixture
beforeEach(async () => {
  api = await startApi()
})
afterEach(async () => {
  await api[Symbol.asyncDispose]()
})

const password = 'correct horse battery'
const newUser = (name: string, more: object = {}) => ({
  userPrincipalName: `${name}@example.org`,
  displayName: name,
  mailNickname: name,
  accountEnabled: true,
  passwordProfile: { password, forceChangePasswordNextSignIn: false },
  ...more,
})

async function made(path: string, body: object): Promise<string> {
  const answer = await api.call('POST', path, { body })
  expect(answer.status, JSON.stringify(answer.body)).toBe(201)
  return String(answer.at('id'))
}
const get = (path: string): Promise<Answer> => api.call('GET', path)
const idsIn = (answer: Answer): unknown[] =>
  (answer.at('value') as { id: string }[]).map((object) => object.id)
const reference = (id: string) => ({
  '@odata.id': `https://graph.microsoft.com/v1.0/directoryObjects/${id}`,
})
const revoked = async (): Promise<string[]> =>
  ((await revocationsAfter(api.store.db, 0)) ?? []).map((each) => each.target)

describe('users', () => {
  test('are made, read by id and by name, changed and deleted', async () => {
    const id = await made('/v1.0/users', newUser('anna'))
    for (const key of [id, id.toUpperCase(), 'ANNA@example.org']) {
      const answer = await get(`/graph/v1.0/users/${key}`)
      expect(answer.body).toMatchObject({
        id,
        userPrincipalName: 'anna@example.org',
        accountEnabled: true,
        administrator: false,
      })
      expect(JSON.stringify(answer.body)).not.toContain('argon2')
    }
    const body = { displayName: 'Anna', mail: 'a@example.org', accountEnabled: false }
    expect((await api.call('PATCH', `/v1.0/users/${id}`, { body })).status).toBe(204)
    expect((await get(`/v1.0/users/${id}?$select=displayName,mail`)).body).toEqual({
      displayName: 'Anna',
      mail: 'a@example.org',
    })
    expect(await revoked()).toEqual([id])
    expect((await api.call('DELETE', `/v1.0/users/${id}`)).status).toBe(204)
    const gone = await get(`/v1.0/users/${id}`)
    expect(gone.status).toBe(404)
    expect(gone.body).toMatchObject({
      error: {
        code: 'Request_ResourceNotFound',
        innerError: {
          'request-id': gone.headers['x-ms-request-id'],
          code: 'ERR_DIRECTORY_NOT_FOUND',
        },
      },
    })
  })

  test('X143: take no field they do not know, no other type, no prototype', async () => {
    const id = await made('/v1.0/users', newUser('anna'))
    for (const body of [
      { role: 'admin' },
      { revokedSeq: 0 },
      { password_hash: 'x' },
      { id: administrator.objectId },
      { accountEnabled: 'true' },
      { displayName: ['x'] },
      { passwordProfile: { password, forceChangePasswordNextSignIn: true } },
    ]) {
      const answer = await api.call('PATCH', `/v1.0/users/${id}`, { body })
      expect(answer.status, JSON.stringify(body)).toBe(400)
      expect(answer.at('error.code')).toBe('Request_BadRequest')
    }
    const headers = { 'content-type': 'application/json' }
    for (const body of [
      '{"__proto__":{"administrator":true}}',
      '{"constructor":{"prototype":{}}}',
    ]) {
      expect((await api.call('PATCH', `/v1.0/users/${id}`, { body, headers })).status).toBe(400)
    }
    expect(await findUser(api.store.db, { objectId: id })).toMatchObject({ administrator: false })
  })

  test('are administrators only by the word of one', async () => {
    const admin = await made('/v1.0/users', newUser('owner', { administrator: true }))
    const last = await api.call('DELETE', `/v1.0/users/${admin}`)
    expect(last.status).toBe(409)
    expect(last.at('error.innerError.code')).toBe('ERR_LAST_ADMINISTRATOR')
    const { authenticate } = api.context
    const anna = await made('/v1.0/users', newUser('anna'))
    let asked = 0
    // The gate lets an administrator pass; the handler then sees a caller who only holds roles.
    api.context.authenticate = async (request) => {
      const caller = await authenticate(request)
      return {
        ...caller,
        get administrator() {
          asked += 1
          return asked === 1
        },
      }
    }
    const tries: [string, string, object?][] = [
      ['PATCH', `/v1.0/users/${anna}`, { administrator: true }],
      ['PATCH', `/v1.0/users/${admin}`, { passwordProfile: { password } }],
      ['PATCH', `/v1.0/users/${admin}`, { userPrincipalName: 'x@example.org' }],
      ['DELETE', `/v1.0/users/${admin}`],
      ['POST', '/v1.0/users', newUser('new', { administrator: true })],
      ['POST', '/v1.0/servicePrincipals', { displayName: 'new', administrator: true }],
    ]
    for (const [method, path, body] of tries) {
      asked = 0
      const answer = await api.call(method, path, { body })
      expect(answer.status, path).toBe(403)
      expect(answer.at('error.code')).toBe('Authorization_RequestDenied')
    }
  })

  test('come in pages, filtered and counted', async () => {
    const names = ['anna', 'ben', 'Bert', 'carla', 'dora']
    for (const name of names)
      await made('/v1.0/users', newUser(name, { passwordProfile: undefined }))
    const seen: unknown[] = []
    let next: string | undefined = '/v1.0/users?$top=2&$count=true'
    while (next !== undefined) {
      const page: Answer = await get(next.replace(api.url, ''))
      expect((page.body as Record<string, unknown>)['@odata.count']).toBe(5)
      seen.push(...idsIn(page))
      next = (page.body as Record<string, string>)['@odata.nextLink']
    }
    expect(new Set(seen).size).toBe(5)
    const found = async (filter: string): Promise<unknown[]> => {
      const answer = await get(`/v1.0/users?$filter=${encodeURIComponent(filter)}`)
      expect(answer.status, filter).toBe(200)
      return (answer.at('value') as { displayName: string }[])
        .map((user) => user.displayName)
        .sort()
    }
    expect(await found("startswith(displayName,'be')")).toEqual(['Bert', 'ben'])
    expect(await found("userPrincipalName eq 'ANNA@example.org'")).toEqual(['anna'])
    expect(await found("displayName eq 'x'' or 1 eq 1 --'")).toEqual([])
    expect(await found("accountEnabled eq true and displayName eq 'dora'")).toEqual(['dora'])
    expect(await found(`id in ('${String(seen[0])}','${String(seen[1])}')`)).toHaveLength(2)
    for (const bad of [
      "$filter=password_hash eq 'x'",
      "$filter=constructor eq 'x'",
      '$filter=accountEnabled eq 1',
      '$orderby=displayName',
      '$expand=memberOf',
      '$top=0',
      '$skiptoken=abc',
      '$select=passwordHash',
    ]) {
      expect((await get(`/v1.0/users?${bad.replaceAll(' ', '%20')}`)).status, bad).toBe(400)
    }
  })
})

describe('me', () => {
  test('is the caller, who changes its own password by the old one, a few times a minute', async () => {
    const id = await made('/v1.0/users', newUser('anna'))
    api.context.authenticate = () =>
      Promise.resolve({ ...administrator, objectId: id, kind: 'user', administrator: false })
    const me = await get('/v1.0/me')
    expect(me.body).toMatchObject({ id, '@odata.type': '#microsoft.graph.user' })
    expect((await get('/v1.0/users')).status).toBe(403)
    const change = (currentPassword: string, newPassword: string): Promise<Answer> =>
      api.call('POST', '/v1.0/me/changePassword', { body: { currentPassword, newPassword } })
    expect((await change('not the password', 'another long one')).status).toBe(400)
    expect((await change(password, 'short')).status).toBe(400)
    expect(await revoked()).toEqual([])
    expect((await change(password, 'another long one')).status).toBe(204)
    expect(await revoked()).toEqual([id])
    expect((await change(password, 'another long one')).status).toBe(400)
    for (let tried = 4; tried < limits.passwordChangesPerMinute; tried++) await change('x', 'y')
    const limited = await change('another long one', 'a third long one')
    expect(limited.status).toBe(429)
    expect(limited.headers['retry-after']).toBeDefined()
    expect((await api.call('POST', '/v1.0/me/revokeSignInSessions')).body).toEqual({ value: true })
    expect(await revoked()).toEqual([id, id])
  })
})

describe('groups', () => {
  test('nest, and say who is in them and what one is in', async () => {
    const anna = await made('/v1.0/users', newUser('anna'))
    const app = await made('/v1.0/applications', { displayName: 'ci' })
    const graphGroup = { mailEnabled: false, mailNickname: 'x', securityEnabled: true }
    const inner = await made('/v1.0/groups', { displayName: 'inner', ...graphGroup })
    const outer = await made('/v1.0/groups', { displayName: 'outer', ...graphGroup })
    const add = (group: string, id: string): Promise<Answer> =>
      api.call('POST', `/v1.0/groups/${group}/members/$ref`, { body: reference(id) })
    expect((await add(inner, anna)).status).toBe(204)
    expect((await add(inner, app)).status).toBe(204)
    expect((await add(outer, inner)).status).toBe(204)
    expect((await add(outer, inner)).status).toBe(409)
    expect((await add(inner, '00000000-0000-4000-8000-000000000000')).status).toBe(404)
    expect(idsIn(await get(`/v1.0/groups/${outer}/members`))).toEqual([inner])
    const all = await get(`/v1.0/groups/${outer}/transitiveMembers`)
    expect(idsIn(all)).toEqual([anna, app, inner].sort())
    const first = await get(`/v1.0/groups/${outer}/transitiveMembers?$top=1`)
    const link = (first.body as Record<string, string>)['@odata.nextLink'] ?? ''
    expect(idsIn(await get(link.replace(api.url, '')))).toEqual(
      [anna, app, inner].sort().slice(1, 2),
    )
    expect(idsIn(await get('/v1.0/users/anna@example.org/memberOf'))).toEqual([inner])
    expect(idsIn(await get(`/v1.0/users/${anna}/transitiveMemberOf`))).toEqual(
      [inner, outer].sort(),
    )
    const ask = async (path: string, body: object): Promise<unknown> =>
      (await api.call('POST', path, { body })).at('value')
    for (const base of [`users/${anna}`, `servicePrincipals/${app}`, `directoryObjects/${app}`]) {
      const asked = { securityEnabledOnly: true }
      expect(await ask(`/v1.0/${base}/getMemberObjects`, asked)).toEqual([inner, outer].sort())
      expect(await ask(`/v1.0/${base}/getMemberGroups`, {})).toEqual([inner, outer].sort())
      expect(await ask(`/v1.0/${base}/checkMemberGroups`, { groupIds: [outer, anna] })).toEqual([
        outer,
      ])
    }
    expect(
      await ask('/v1.0/directoryObjects/getByIds', { ids: [app, anna], types: ['user'] }),
    ).toMatchObject([{ id: anna }])
    const removed = await api.call('DELETE', `/v1.0/groups/${outer}/members/${inner}/$ref`)
    expect(removed.status).toBe(204)
    expect((await revoked()).sort()).toEqual([anna, app].sort())
  })
})
