/**
 * Pages of clusters, also while the list changes under the reader.
 * @module
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { clusterPath, ecOnboardingKey, putCluster, putGroup } from './support/agent.ts'
import { startApi, type Answer, type ApiFixture } from './support/api-fixture.ts'

let api: ApiFixture
const onboarding = ecOnboardingKey()
beforeEach(async () => {
  api = await startApi()
  await putGroup(api, 'g')
})
afterEach(async () => {
  await api[Symbol.asyncDispose]()
})

const list = (query: string): Promise<Answer> =>
  api.call(
    'GET',
    `/subscriptions/${api.subscriptionId}/providers/microsoft.kubernetes/connectedclusters?${query}`,
  )
const names = (answer: Answer): string[] =>
  (answer.at('value') as { name: string }[]).map((one) => one.name)
const follow = (answer: Answer): Promise<Answer> =>
  api.call('GET', String(answer.at('nextLink')).slice(api.url.length))
const make = (name: string): Promise<Answer> =>
  putCluster(api, clusterPath(api, 'g', name), onboarding)

describe('a list of clusters', () => {
  test('shows each cluster that stays exactly once, whatever comes and goes', async () => {
    for (const name of ['b', 'd', 'f', 'h']) await make(name)
    const first = await list('$top=2')
    expect(names(first)).toEqual(['b', 'd'])
    await make('a')
    await make('e')
    await api.call('DELETE', clusterPath(api, 'g', 'd'))
    const second = await follow(first)
    expect(names(second)).toEqual(['e', 'f'])
    expect(names(await follow(second))).toEqual(['h'])
  })

  test('orders by resource group first, and keeps $top and api-version in the link', async () => {
    await putGroup(api, 'G-0')
    await make('z')
    await putCluster(api, clusterPath(api, 'G-0', 'a'), onboarding)
    const first = await list('$top=1&api-version=2021-10-01')
    expect(names(first)).toEqual(['z'])
    const link = new URL(String(first.at('nextLink')))
    expect(link.searchParams.get('$top')).toBe('1')
    expect(link.searchParams.get('api-version')).toBe('2021-10-01')
    expect(names(await follow(first))).toEqual(['a'])
  })

  test('has no link on an exactly full last page, and is empty when there is nothing', async () => {
    expect((await list('')).body).toEqual({ value: [] })
    await make('a')
    await make('b')
    expect((await list('$top=2')).at('nextLink')).toBeUndefined()
  })

  test.each([
    ['$top=0', '$top'],
    ['$top=1001', '$top'],
    ['$top=-1', '$top'],
    ['$top=ten', '$top'],
    ['$skiptoken=', '$skiptoken'],
    ['$skiptoken=nonsense', '$skiptoken'],
    [`$skiptoken=${Buffer.from('["a"]').toString('base64url')}`, '$skiptoken'],
    [`$skiptoken=${Buffer.from('[1,2]').toString('base64url')}`, '$skiptoken'],
    ['$filter=name eq x', '$filter'],
  ])('refuses %s', async (query, target) => {
    const answer = await list(query)
    expect([answer.status, answer.at('error.target')]).toEqual([400, target])
  })
})
