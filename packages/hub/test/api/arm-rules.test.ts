/**
 * How ARM behaves around resources: versions, envelopes, headers, paths.
 * @module
 */
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { errorRegistry, kubernetesApiVersions, limits } from '@sallyport/protocol'
import { clusterPath, ecOnboardingKey, putCluster, putGroup } from './support/agent.ts'
import { administrator, startApi, type Answer, type ApiFixture } from './support/api-fixture.ts'

let api: ApiFixture
let group: string
let cluster: string
beforeAll(async () => {
  api = await startApi()
  await putGroup(api, 'rg')
  group = `/subscriptions/${api.subscriptionId}/resourceGroups/rg`
  cluster = clusterPath(api, 'rg', 'c1')
  await putCluster(api, cluster, ecOnboardingKey())
})
afterAll(async () => {
  await api[Symbol.asyncDispose]()
})

const expectError = (answer: Answer, code: keyof typeof errorRegistry, target?: string): void => {
  expect(answer.body).toMatchObject({
    error: {
      code: errorRegistry[code].reason,
      message: expect.stringMatching(/./) as string,
      additionalInfo: [{ type: 'SallyportError', info: { code } }],
    },
  })
  expect(answer.status).toBe(errorRegistry[code].status)
  expect(answer.headers['content-type']).toContain('application/json')
  expect(answer.headers['x-ms-request-id']).toMatch(/^[0-9a-f-]{36}$/)
  if (target !== undefined) expect(answer.at('error.target')).toBe(target)
}

describe('api-version', () => {
  test('is required, and an unknown one is answered with the list', async () => {
    const missing = await api.call('GET', `${cluster}?api-version=`)
    expectError(missing, 'ERR_ARM_API_VERSION_MISSING', 'api-version')
    const unknown = await api.call('GET', `${cluster}?api-version=2019-01-01`)
    expectError(unknown, 'ERR_ARM_API_VERSION', 'api-version')
    for (const version of kubernetesApiVersions) {
      expect(unknown.at('error.message')).toContain(version)
      expect((await api.call('GET', `${cluster}?api-version=${version}`)).status).toBe(200)
    }
  })

  test('is checked for the provider of the path', async () => {
    expect((await api.call('GET', '/tenants?api-version=2022-12-01')).status).toBe(200)
    expectError(await api.call('GET', `${cluster}?api-version=2022-12-01`), 'ERR_ARM_API_VERSION')
    expectError(await api.call('GET', '/tenants?api-version=latest'), 'ERR_ARM_API_VERSION')
  })

  test('may be written in any case and repeated, but says one thing', async () => {
    expect((await api.call('GET', '/tenants?API-Version=2022-12-01')).status).toBe(200)
    const same = await api.call('GET', '/tenants?api-version=2022-12-01&api-version=2022-12-01')
    expect(same.status).toBe(200)
    const two = await api.call('GET', '/tenants?api-version=2022-12-01&api-version=2021-04-01')
    expectError(two, 'ERR_ARM_INVALID_REQUEST', 'api-version')
  })
})

describe('errors are the ARM envelope', () => {
  const put = (body: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
    api.call('PUT', cluster, {
      body,
      headers: { 'content-type': 'application/json', ...headers },
    })

  test('for a path that is not there', async () => {
    expectError(await api.call('GET', '/subscriptionz'), 'ERR_ARM_ROUTE_NOT_FOUND')
    expectError(await api.call('TRACE', '/tenants'), 'ERR_ARM_ROUTE_NOT_FOUND')
  })

  test('for a body that is not JSON, not small, or not said to be JSON', async () => {
    expectError(await put('{"location":'), 'ERR_ARM_INVALID_REQUEST', 'body')
    expectError(await put('{"__proto__":{}}'), 'ERR_ARM_INVALID_REQUEST', 'body')
    expectError(await put(`"${'x'.repeat(limits.httpMaxBodyBytes)}"`), 'ERR_ARM_BODY_TOO_LARGE')
    const text = await put('location', { 'content-type': 'text/plain' })
    expectError(text, 'ERR_ARM_INVALID_REQUEST', 'content-type')
    const xml = await put('<a/>', { 'content-type': 'application/xml' })
    expectError(xml, 'ERR_ARM_INVALID_REQUEST', 'content-type')
    expectError(await put(undefined), 'ERR_ARM_INVALID_REQUEST', 'body')
  })

  test('for a body that is deep, wide or compressed', async () => {
    const deep = `${'['.repeat(limits.armJsonDepth + 1)}${']'.repeat(limits.armJsonDepth + 1)}`
    expectError(await put(deep), 'ERR_ARM_INVALID_REQUEST', 'body')
    const wide = JSON.stringify(Array.from({ length: limits.armJsonNodes }, () => 0))
    expectError(await put(wide), 'ERR_ARM_INVALID_REQUEST', 'body')
    const packed = await put(gzipSync('{}'), { 'content-encoding': 'gzip' })
    expectError(packed, 'ERR_ARM_INVALID_REQUEST', 'content-encoding')
  })

  test('for a wrong field, by its name', async () => {
    const good = {
      location: 'local',
      identity: { type: 'SystemAssigned' },
      properties: { agentPublicKeyCertificate: ecOnboardingKey().certificate },
    }
    const cases: [unknown, string][] = [
      [{ ...good, location: 5 }, 'location'],
      [{ ...good, location: '../etc' }, 'location'],
      [{ ...good, identity: undefined }, 'identity'],
      [{ ...good, identity: { type: 'UserAssigned' } }, 'identity.type'],
      [{ ...good, properties: {} }, 'properties.agentPublicKeyCertificate'],
      [
        { ...good, properties: { agentPublicKeyCertificate: '!' } },
        'properties.agentPublicKeyCertificate',
      ],
      [{ ...good, tags: { a: 1 } }, 'tags.a'],
      [{ ...good, tags: { 'a?': '1' } }, 'tags'],
      [{ ...good, tags: { a: '1', A: '1' } }, 'tags'],
      [{ ...good, tags: { a: 'x'.repeat(257) } }, 'tags.a'],
      [
        {
          ...good,
          tags: Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`t${String(n)}`, ''])),
        },
        'tags',
      ],
      [[], 'body'],
    ]
    for (const [body, target] of cases) {
      expectError(await put(body), 'ERR_ARM_INVALID_REQUEST', target)
    }
  })

  test('for a subscription, group or cluster that is not there', async () => {
    const elsewhere = '/subscriptions/00000000-0000-4000-8000-000000000000'
    expectError(await api.call('GET', elsewhere), 'ERR_ARM_SUBSCRIPTION_NOT_FOUND')
    expectError(
      await api.call('GET', cluster.replace(api.subscriptionId, elsewhere.split('/')[2] ?? '')),
      'ERR_ARM_SUBSCRIPTION_NOT_FOUND',
    )
    expectError(await api.call('GET', '/subscriptions/mine'), 'ERR_ARM_INVALID_REQUEST')
    expectError(await api.call('GET', clusterPath(api, 'no', 'c1')), 'ERR_ARM_GROUP_NOT_FOUND')
    expectError(await api.call('GET', clusterPath(api, 'rg', 'no')), 'ERR_ARM_NOT_FOUND')
    expectError(await api.call('GET', `${group}x`), 'ERR_ARM_GROUP_NOT_FOUND')
  })

  test('T-ENR-2: for names that could mean something to a shell, a path or a file', async () => {
    const names = [
      '$(id)',
      "'; rm",
      'a b',
      'a\nb',
      '..',
      '.a',
      'a.',
      '-a',
      'a/../b',
      'ü',
      'a%',
      'x'.repeat(64),
      '{{.}}',
      'a;b',
      '`id`',
      'a"b',
    ]
    for (const name of names) {
      const path = clusterPath(api, 'rg', encodeURIComponent(name))
      const made = await putCluster(api, path, ecOnboardingKey())
      expect([400, 404], name).toContain(made.status)
      expect(made.at('error.code')).toMatch(/^(InvalidRequestContent|NotFound)$/)
    }
    const long = await api.call('PUT', `${group}${'x'.repeat(90)}`, { body: { location: 'local' } })
    expectError(long, 'ERR_ARM_INVALID_REQUEST', 'resourceGroupName')
    const list = await api.call('GET', `${group}/providers/Microsoft.Kubernetes/connectedClusters`)
    expect(list.at('value')).toHaveLength(1)
  })
})

describe('headers', () => {
  test('carry request and correlation ids, and the client id when asked', async () => {
    const plain = await api.call('GET', cluster)
    expect(plain.headers['x-ms-correlation-request-id']).toBe(plain.headers['x-ms-request-id'])
    const answer = await api.call('GET', cluster, {
      headers: {
        'x-ms-client-request-id': 'client-1',
        'x-ms-correlation-request-id': 'session-1',
        'x-ms-return-client-request-id': 'true',
      },
    })
    expect(answer.headers['x-ms-client-request-id']).toBe('client-1')
    expect(answer.headers['x-ms-correlation-request-id']).toBe('session-1')
    expect(answer.headers['x-ms-request-id']).not.toBe('session-1')
    expect(plain.headers['x-ms-client-request-id']).toBeUndefined()
    const forged = await api.call('GET', '/nowhere', {
      headers: { 'x-ms-correlation-request-id': 'a b"' },
    })
    expect(forged.headers['x-ms-correlation-request-id']).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('count what a principal may still do, and end in 429 with Retry-After', async () => {
    const remaining = async (): Promise<number> => {
      const answer = await api.call('GET', '/tenants')
      return Number(answer.headers['x-ms-ratelimit-remaining-subscription-reads'])
    }
    api.clock.now += 3_600_000
    expect(await remaining()).toBe(limits.armReadsBurst - 1)
    expect(await remaining()).toBe(limits.armReadsBurst - 2)
    api.clock.now += 1_000
    expect(await remaining()).toBe(limits.armReadsBurst - 1)
  })

  test('keep answers out of caches', async () => {
    expect((await api.call('GET', cluster)).headers['cache-control']).toBe('no-store')
  })

  test('tell a caller without sign-in where to sign in', async () => {
    const answer = await api.call('GET', cluster, { token: undefined })
    expectError(answer, 'ERR_AUTH_REQUIRED')
    expect(answer.headers['www-authenticate']).toBe(
      `Bearer authorization_uri="${api.url}/${administrator.tenantId}", error="invalid_token"`,
    )
    expect((await api.call('GET', `${group}x`)).headers['www-authenticate']).toBeUndefined()
  })
})

describe('paths', () => {
  test('match in any case, with doubled and trailing slashes', async () => {
    for (const path of [
      cluster.toLowerCase(),
      cluster.toUpperCase(),
      `/${cluster}`,
      `${cluster}/`,
      cluster.replace('/providers/', '//providers//'),
    ]) {
      const answer = await api.call('GET', path)
      expect(answer.status, path).toBe(200)
      expect(answer.at('id')).toBe(cluster)
    }
  })
})

describe('OpenAPI', () => {
  test('describes the routes with the schemas that validate', async () => {
    const answer = await api.call('GET', '/sallyport/v1/openapi.json', { token: undefined })
    expect(answer.at('openapi')).toMatch(/^3\./)
    const path =
      '/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Kubernetes/connectedClusters/{clusterName}'
    const paths = answer.at('paths') as Record<string, Record<string, unknown>>
    expect(Object.keys(paths[path] ?? {})).toEqual(['get', 'put', 'patch', 'delete'])
    expect(paths[path]?.['put']).toMatchObject({
      requestBody: {
        content: {
          'application/json': { schema: { required: ['location', 'identity', 'properties'] } },
        },
      },
    })
  })
})

describe('providers', () => {
  test('are listed, shown in any case, and registered', async () => {
    const base = `/subscriptions/${api.subscriptionId}/providers`
    const list = await api.call('GET', `${base}?api-version=2021-04-01`)
    expect(list.at('value')).toMatchObject([
      { namespace: 'Microsoft.Authorization' },
      { namespace: 'Microsoft.Kubernetes' },
      { namespace: 'Microsoft.Resources' },
    ])
    const one = await api.call('GET', `${base}/microsoft.kubernetes?api-version=2021-04-01`)
    expect(one.at('registrationState')).toBe('Registered')
    expect(one.at('resourceTypes.0')).toMatchObject({
      resourceType: 'connectedClusters',
      apiVersions: kubernetesApiVersions.toReversed(),
    })
    const path = `${base}/Microsoft.Kubernetes/register?api-version=2021-04-01`
    expect((await api.call('POST', path)).status).toBe(200)
    expectError(await api.call('GET', `${base}/Microsoft.Web`), 'ERR_ARM_NOT_FOUND')
  })
})
