/**
 * Resource groups.
 * @module
 */
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  clusterPath,
  ecOnboardingKey,
  enrolledCluster,
  putCluster,
  putGroup,
} from './support/agent.ts'
import { startApi, type Answer, type ApiFixture } from './support/api-fixture.ts'

let api: ApiFixture
let path: string
beforeEach(async () => {
  api = await startApi()
  path = `/subscriptions/${api.subscriptionId}/resourcegroups/My-Group`
})
afterEach(async () => {
  await api[Symbol.asyncDispose]()
})

const put = (body: Record<string, unknown> = {}): Promise<Answer> =>
  api.call('PUT', path, { body: { location: 'local', ...body } })

test('is made, replaced, tagged and shown with the name of creation', async () => {
  const made = await put({ tags: { a: '1' } })
  expect(made.status).toBe(201)
  expect(made.body).toEqual({
    id: `/subscriptions/${api.subscriptionId}/resourceGroups/My-Group`,
    name: 'My-Group',
    type: 'Microsoft.Resources/resourceGroups',
    location: 'local',
    tags: { a: '1' },
    properties: { provisioningState: 'Succeeded' },
  })
  path = path.toLowerCase()
  expect((await put()).at('tags')).toEqual({})
  expect((await put()).status).toBe(200)
  const tagged = await api.call('PATCH', path, { body: { tags: { b: '2' } } })
  expect(tagged.at('tags')).toEqual({ b: '2' })
  expect((await api.call('PATCH', path, { body: {} })).at('tags')).toEqual({ b: '2' })
  expect((await api.call('GET', path)).at('name')).toBe('My-Group')
})

test('stays where it is', async () => {
  await put()
  const answer = await put({ location: 'elsewhere' })
  expect([answer.status, answer.at('error.target')]).toEqual([409, 'location'])
})

test('answers HEAD with 204 or 404', async () => {
  expect((await api.call('HEAD', path)).status).toBe(404)
  await put()
  expect((await api.call('HEAD', path)).status).toBe(204)
})

test('is listed in pages by name', async () => {
  for (const name of ['b', 'A', 'c']) await putGroup(api, name)
  const list = `/subscriptions/${api.subscriptionId}/resourcegroups`
  const first = await api.call('GET', `${list}?$top=2`)
  expect(first.at('value')).toMatchObject([{ name: 'A' }, { name: 'b' }])
  const next = String(first.at('nextLink'))
  expect(next.startsWith(`${api.url}/`)).toBe(true)
  const second = await api.call('GET', next.slice(api.url.length))
  expect(second.at('value')).toMatchObject([{ name: 'c' }])
  expect(second.at('nextLink')).toBeUndefined()
})

test('takes its clusters along when it is deleted, and no others', async () => {
  const inside = await enrolledCluster(api, 'My-Group', 'c1')
  await putGroup(api, 'My-Group-2')
  const outside = clusterPath(api, 'My-Group-2', 'c1')
  await putCluster(api, outside, ecOnboardingKey())
  const answer = await api.call('DELETE', path)
  expect(answer.status).toBe(202)
  const result = String(answer.headers['location']).slice(api.url.length)
  expect((await api.call('GET', result)).status).toBe(204)
  expect((await api.call('GET', inside.path)).at('error.code')).toBe('ResourceGroupNotFound')
  expect((await api.call('GET', outside)).status).toBe(200)
  for (const table of ['agents', 'enrolments', 'presence', 'sessions'] as const) {
    const rows = await api.store.db.selectFrom(table).select('cluster_key').execute()
    expect(
      rows.every((row) => row.cluster_key === outside.toLowerCase()),
      table,
    ).toBe(true)
  }
  expect((await api.call('DELETE', path)).at('error.code')).toBe('ResourceGroupNotFound')
})
