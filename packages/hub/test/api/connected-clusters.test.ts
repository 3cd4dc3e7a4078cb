/**
 * Connected clusters: made, shown, changed, deleted.
 * @module
 */
import 'reflect-metadata'
import { generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { X509Certificate } from 'node:crypto'
import { clusterPath, ecOnboardingKey, putGroup, rsaOnboardingKey } from './support/agent.ts'
import { featureSettings } from '@sallyport/protocol'
import { administrator, startApi, type Answer, type ApiFixture } from './support/api-fixture.ts'

/** Features of a new cluster. */
const features = featureSettings(
  new Map([
    ['cluster-connect', true],
    ['custom-locations', false],
    ['azure-rbac', true],
  ]),
)

let api: ApiFixture
let path: string
const { certificate } = ecOnboardingKey()
beforeEach(async () => {
  api = await startApi()
  await putGroup(api, 'My-Group')
  path = clusterPath(api, 'my-group', 'My-Cluster')
})
afterEach(async () => {
  await api[Symbol.asyncDispose]()
})

const put = (
  properties: Record<string, unknown> = {},
  rest: Record<string, unknown> = {},
): Promise<Answer> =>
  api.call('PUT', path, {
    body: {
      location: 'local',
      identity: { type: 'SystemAssigned' },
      properties: { agentPublicKeyCertificate: certificate, ...properties },
      ...rest,
    },
  })

describe('PUT', () => {
  test('makes a cluster with the names of creation, an identity and its history', async () => {
    const answer = await put({}, { tags: { Team: 'a' }, kind: 'AWS', location: 'Local' })
    expect(answer.status).toBe(201)
    const now = new Date(api.clock.now).toISOString()
    const guid = expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/) as string
    expect(answer.body).toEqual({
      id: clusterPath(api, 'My-Group', 'My-Cluster'),
      name: 'My-Cluster',
      type: 'Microsoft.Kubernetes/connectedClusters',
      location: 'local',
      tags: { Team: 'a' },
      kind: 'AWS',
      identity: { type: 'SystemAssigned', principalId: guid, tenantId: administrator.tenantId },
      systemData: {
        createdBy: administrator.appId,
        createdByType: 'Application',
        createdAt: now,
        lastModifiedBy: administrator.appId,
        lastModifiedByType: 'Application',
        lastModifiedAt: now,
      },
      properties: {
        agentPublicKeyCertificate: certificate,
        provisioningState: 'Succeeded',
        connectivityStatus: 'Connecting',
        miscellaneousProperties: {},
        ...features,
      },
    })
  })

  test('points at an operation that is done', async () => {
    const answer = await put()
    expect(answer.headers['retry-after']).toBe('1')
    const url = String(answer.headers['azure-asyncoperation'])
    expect(url.startsWith(`${api.url}/subscriptions/${api.subscriptionId}/providers/`)).toBe(true)
    const operation = await api.call('GET', url.slice(api.url.length))
    expect(operation.status).toBe(200)
    expect(operation.body).toEqual({
      id: url.slice(api.url.length).split('?')[0],
      name: expect.any(String) as string,
      resourceId: clusterPath(api, 'my-group', 'My-Cluster'),
      status: 'Succeeded',
      startTime: new Date(api.clock.now).toISOString(),
      endTime: new Date(api.clock.now).toISOString(),
    })
    const unknown = url.slice(api.url.length).replace(/[0-9a-f-]{36}\?/, 'nothing?')
    expect((await api.call('GET', unknown)).status).toBe(404)
  })

  test('again changes what users set and keeps what is for good', async () => {
    const first = await put({}, { tags: { a: '1' } })
    api.clock.now += 5_000
    path = path.toLowerCase()
    const second = await put({ distribution: 'k3s' })
    expect(second.status).toBe(200)
    expect(second.at('id')).toBe(first.at('id'))
    expect(second.at('tags')).toEqual({})
    expect(second.at('identity')).toEqual(first.at('identity'))
    expect(second.at('properties.distribution')).toBe('k3s')
    expect(second.at('systemData.createdAt')).toBe(first.at('systemData.createdAt'))
    expect(second.at('systemData.lastModifiedAt')).toBe(new Date(api.clock.now).toISOString())
  })

  test('ignores what the server sets and keeps what it does not know', async () => {
    const answer = await put(
      {
        provisioningState: 'Failed',
        connectivityStatus: 'Connected',
        totalNodeCount: 99,
        kubernetesVersion: 'v9',
        agentVersion: 'v9',
        offering: 'x',
        lastConnectivityTime: '2000-01-01T00:00:00Z',
        managedIdentityCertificateExpirationTime: '2000-01-01T00:00:00Z',
        miscellaneousProperties: { a: 'b' },
        oidcIssuerProfile: { enabled: true, issuerUrl: 'https://evil.example' },
        gateway: { enabled: false },
        inventedLater: { deep: [1, { more: true }] },
      },
      { inventedLater: 1 },
    )
    expect(answer.at('properties')).toEqual({
      agentPublicKeyCertificate: certificate,
      provisioningState: 'Succeeded',
      connectivityStatus: 'Connecting',
      miscellaneousProperties: {},
      ...features,
      oidcIssuerProfile: { enabled: true },
      gateway: { enabled: false },
      inventedLater: { deep: [1, { more: true }] },
    })
    const sentBack = await api.call('PUT', path, { body: answer.body })
    expect(sentBack.status).toBe(200)
    expect(sentBack.at('properties')).toEqual(answer.at('properties'))
  })

  test('gives no identity when none is asked for', async () => {
    const answer = await put({}, { identity: { type: 'none' } })
    expect(answer.at('identity')).toEqual({ type: 'None' })
  })

  test('does not move a cluster to another location', async () => {
    await put()
    const answer = await put({}, { location: 'elsewhere' })
    expect(answer.status).toBe(409)
    expect(answer.at('error.target')).toBe('location')
  })

  test('needs its resource group', async () => {
    path = clusterPath(api, 'absent', 'c1')
    const answer = await put()
    expect(answer.status).toBe(404)
    expect(answer.at('error.code')).toBe('ResourceGroupNotFound')
  })

  test('made twice at once is one cluster', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => put()))
    const statuses = answers.map((answer) => answer.status).sort()
    expect(statuses).toEqual([...Array<number>(19).fill(200), 201])
    const rows = await api.store.db.selectFrom('clusters').select('cluster_key').execute()
    expect(rows).toHaveLength(1)
  })
})

describe('agentPublicKeyCertificate', () => {
  const spki = (type: 'ed25519' | 'x25519'): string => {
    const { publicKey } = type === 'ed25519' ? generateKeyPairSync(type) : generateKeyPairSync(type)
    return publicKey.export({ format: 'der', type: 'spki' }).toString('base64')
  }

  test('may be PKCS#1, SPKI or a certificate, also with line breaks', async () => {
    const x509 = new X509Certificate(readFileSync(api.caFile)).raw.toString('base64')
    const rsa = rsaOnboardingKey().certificate
    const broken = rsa.replaceAll(/(.{64})/g, '$1\r\n')
    for (const key of [rsa, certificate, x509, broken]) {
      expect((await put({ agentPublicKeyCertificate: key })).status).toBeLessThan(202)
    }
  })

  test('may not be anything else', async () => {
    const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey
    const cases = [
      'not base64 at all',
      Buffer.from('text').toString('base64'),
      rsaOnboardingKey(1024).certificate,
      spki('ed25519'),
      spki('x25519'),
      p384.export({ format: 'der', type: 'spki' }).toString('base64'),
      certificate.slice(0, -8),
    ]
    for (const key of cases) {
      const answer = await put({ agentPublicKeyCertificate: key })
      expect(answer.status).toBe(400)
      expect(answer.at('error.target')).toBe('properties.agentPublicKeyCertificate')
    }
  })
})

describe('PATCH', () => {
  const patch = (body: unknown): Promise<Answer> => api.call('PATCH', path, { body })

  test('replaces tags and merges the few properties it may change', async () => {
    await put({ distribution: 'k3s', gateway: { enabled: false } }, { tags: { a: '1' } })
    const answer = await patch({
      tags: { b: '2' },
      properties: {
        azureHybridBenefit: 'True',
        gateway: { enabled: true },
        agentPublicKeyCertificate: 'x',
        infrastructure: 'x',
        provisioningState: 'Failed',
      },
    })
    expect(answer.status).toBe(200)
    expect(answer.at('tags')).toEqual({ b: '2' })
    expect(answer.at('properties')).toMatchObject({
      agentPublicKeyCertificate: certificate,
      distribution: 'k3s',
      azureHybridBenefit: 'True',
      gateway: { enabled: true },
      provisioningState: 'Succeeded',
    })
    expect(answer.at('properties.infrastructure')).toBeUndefined()
    expect((await patch({})).at('tags')).toEqual({ b: '2' })
    expect((await patch({ tags: {} })).at('tags')).toEqual({})
  })

  test('of a cluster that is not there is 404', async () => {
    expect((await patch({ tags: {} })).status).toBe(404)
  })
})

describe('DELETE', () => {
  test('is 202 with a result to poll, then 204', async () => {
    await put()
    const answer = await api.call('DELETE', `${path.toUpperCase()}?force=true`, {
      headers: { 'content-type': 'application/json' },
    })
    expect(answer.status).toBe(202)
    const url = String(answer.headers['location'])
    expect((await api.call('GET', url.slice(api.url.length))).status).toBe(204)
    expect((await api.call('GET', path)).at('error.code')).toBe('ResourceNotFound')
    expect((await api.call('DELETE', path)).status).toBe(204)
  })
})
