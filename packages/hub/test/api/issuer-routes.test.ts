/**
 * `/sallyport/v1/issuers`: made, shown, changed and deleted; checked before it is saved; by nobody without the right.
 * @module
 */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, test } from 'vitest'
import { playIssuer, type PlayedIssuer } from '../identity/issuers/support/played-issuer.ts'
import { startApi, type ApiFixture } from './support/api-fixture.ts'

const base = '/sallyport/v1/issuers'
let played: PlayedIssuer
let api: ApiFixture
let body: Record<string, unknown>

beforeAll(async () => {
  played = await playIssuer()
})
afterAll(() => played[Symbol.asyncDispose]())
beforeEach(async () => {
  played.discovery = {}
  api = await startApi({ authorities: [played.ca] })
  body = {
    kind: 'oidc',
    issuer: `${played.origin}/main/v2.0`,
    clientId: 'sallyport',
    clientSecret: played.clientSecret,
  }
})
afterEach(() => api[Symbol.asyncDispose]())

const put = (alias: string, more: Record<string, unknown> = {}) =>
  api.call('PUT', `${base}/${alias}`, { body: { ...body, ...more } })
const errorCode = 'error.additionalInfo.0.info.code'

it('is made, listed, shown, changed and deleted, and its secret never shown', async () => {
  const { turn } = api.context.changes
  const made = await put('main')
  expect(made.status, JSON.stringify(made.body)).toBe(201)
  expect(api.context.changes.turn).toBeGreaterThan(turn)
  const checks = made.at('checks') as { name: string; status: string }[]
  expect(checks).toHaveLength(11)
  expect(checks.filter(({ status }) => status === 'fail')).toEqual([])
  const shown = await api.call('GET', `${base}/MAIN`)
  expect(shown.body).toMatchObject({
    ...{ alias: 'main', enabled: true, hasClientSecret: true, groupsPrefix: 'main:' },
    redirectUri: `${api.url}/signin/outside/callback`,
  })
  const changed = await put('main', { displayName: 'Main', clientSecret: null })
  expect(changed.status).toBe(200)
  const listed = await api.call('GET', base)
  expect(listed.body).toMatchObject({
    value: [{ alias: 'main', displayName: 'Main', hasClientSecret: false }],
  })
  for (const { body: answer } of [made, shown, changed, listed]) {
    expect(JSON.stringify(answer)).not.toContain(played.clientSecret)
  }
  expect((await api.call('DELETE', `${base}/main`)).status).toBe(200)
  expect((await api.call('DELETE', `${base}/main`)).status).toBe(204)
  const gone = await api.call('GET', `${base}/main`)
  expect(gone.status).toBe(404)
  expect(gone.at(errorCode)).toBe('ERR_ARM_NOT_FOUND')
})

it('is not there twice, nor becomes another issuer: 409', async () => {
  await put('main')
  for (const answer of [
    await put('again'),
    await put('main', { issuer: `${played.origin}/other/v2.0` }),
  ]) {
    expect(answer.status).toBe(409)
    expect(answer.at(errorCode)).toBe('ERR_ARM_CONFLICT')
  }
  const listed = await api.call('GET', base)
  expect(listed.body).toMatchObject({ value: [{ alias: 'main', issuer: body['issuer'] }] })
})

it('is not saved when the check fails, unless it is skipped', async () => {
  played.discovery = { code_challenge_methods_supported: ['plain'] }
  const refused = await put('main')
  expect(refused.status).toBe(400)
  expect(refused.at(errorCode)).toBe('ERR_ISSUER_CHECK')
  expect(refused.at('error.target')).toBe('pkce')
  expect((await api.call('GET', base)).body).toEqual({ value: [] })
  const saved = await put('main', { skipCheck: true })
  expect(saved.status).toBe(201)
  expect(saved.at('checks')).toEqual([])
  // A change is checked like the first, and a refused one changes nothing.
  expect((await put('main', { displayName: 'Other' })).status).toBe(400)
  expect((await api.call('GET', `${base}/main`)).at('displayName')).toBe('main')
})

it('is checked without being saved', async () => {
  const { kind, issuer, clientId } = body
  const answer = await api.call('POST', `${base}/check`, { body: { kind, issuer, clientId } })
  expect(answer.status).toBe(200)
  expect(answer.at('checks.1')).toMatchObject({ name: 'client-secret', status: 'warn' })
  expect((await api.call('GET', base)).body).toEqual({ value: [] })
})

test.each(['check', 'callback', 'UPPER', '-x', 'x'.repeat(33)])('%s is no alias', async (alias) => {
  expect((await put(alias)).status).toBe(400)
})

it('a stranger neither reads nor writes', async () => {
  const token = 'stranger'
  for (const [method, path] of [
    ['GET', base],
    ['GET', `${base}/main`],
    ['PUT', `${base}/main`],
    ['POST', `${base}/check`],
    ['DELETE', `${base}/main`],
  ] as const) {
    const sent = method === 'PUT' || method === 'POST' ? { body } : {}
    expect((await api.call(method, path, { token, ...sent })).status, `${method} ${path}`).toBe(403)
  }
})
