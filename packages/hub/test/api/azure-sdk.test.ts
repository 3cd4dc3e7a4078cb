/**
 * Referees: Azure's own clients, unmodified, over real HTTPS with a private CA.
 * @module
 */
import { ConnectedKubernetesClient } from '@azure/arm-hybridkubernetes'
import { SubscriptionClient } from '@azure/arm-resources-subscriptions'
import type { TokenCredential } from '@azure/core-auth'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { limits } from '@sallyport/protocol'
import { ecOnboardingKey, enrolledCluster, putGroup, rsaOnboardingKey } from './support/agent.ts'
import { administrator, startApi, type ApiFixture } from './support/api-fixture.ts'

const credentialFor = (token: string): TokenCredential => ({
  getToken: () => Promise.resolve({ token, expiresOnTimestamp: Date.now() + 3_600_000 }),
})

let api: ApiFixture
let clusters: ConnectedKubernetesClient
let subscriptions: SubscriptionClient

const body = (certificate: string, tags: Record<string, string> = {}) => ({
  location: 'local',
  tags,
  identity: { type: 'SystemAssigned' as const },
  agentPublicKeyCertificate: certificate,
})

beforeAll(async () => {
  api = await startApi()
  const options = { endpoint: api.url, tlsOptions: { ca: api.ca } }
  const credential = credentialFor('administrator')
  clusters = new ConnectedKubernetesClient(credential, api.subscriptionId, options)
  subscriptions = new SubscriptionClient(credential, options)
})
afterAll(async () => {
  await api[Symbol.asyncDispose]()
})

describe('@azure/arm-hybridkubernetes', () => {
  test('creates, gets, updates and deletes a cluster', async () => {
    await putGroup(api, 'Sdk')
    const { certificate } = rsaOnboardingKey()
    const made = await clusters.connectedClusterOperations.beginCreateAndWait(
      'sdk',
      'First',
      body(certificate, { team: 'a' }),
    )
    expect(made).toMatchObject({
      id: `/subscriptions/${api.subscriptionId}/resourceGroups/Sdk/providers/Microsoft.Kubernetes/connectedClusters/First`,
      name: 'First',
      location: 'local',
      tags: { team: 'a' },
      provisioningState: 'Succeeded',
      connectivityStatus: 'Connecting',
      agentPublicKeyCertificate: certificate,
      identity: { type: 'SystemAssigned', tenantId: administrator.tenantId },
      systemData: { createdBy: administrator.appId, createdByType: 'Application' },
    })
    const got = await clusters.connectedClusterOperations.get('SDK', 'FIRST')
    expect(got).toEqual(made)
    const tagged = await clusters.connectedClusterOperations.update('sdk', 'first', {
      tags: { team: 'b' },
    })
    expect(tagged.tags).toEqual({ team: 'b' })
    await clusters.connectedClusterOperations.beginDeleteAndWait('sdk', 'first')
    await expect(clusters.connectedClusterOperations.get('sdk', 'first')).rejects.toMatchObject({
      name: 'RestError',
      code: 'ResourceNotFound',
      statusCode: 404,
    })
    await clusters.connectedClusterOperations.beginDeleteAndWait('sdk', 'first')
  })

  test('lists several pages by resource group and by subscription', async () => {
    await putGroup(api, 'many')
    await putGroup(api, 'other')
    const { certificate } = ecOnboardingKey()
    const count = limits.armPageSize * 2 + 5
    for (let index = 0; index < count; index += 1) {
      const path = `/subscriptions/${api.subscriptionId}/resourceGroups/many/providers/Microsoft.Kubernetes/connectedClusters/c${String(index)}`
      const answer = await api.call('PUT', path, {
        body: {
          location: 'local',
          identity: { type: 'None' },
          properties: { agentPublicKeyCertificate: certificate },
        },
      })
      expect(answer.status).toBe(201)
    }
    await enrolledCluster(api, 'other', 'single')
    const names = async (list: AsyncIterable<{ name?: string }>): Promise<string[]> => {
      const found: string[] = []
      for await (const item of list) found.push(item.name ?? '')
      return found
    }
    const wanted = Array.from({ length: count }, (_, index) => `c${String(index)}`).sort()
    const operations = clusters.connectedClusterOperations
    expect(await names(operations.listByResourceGroup('MANY'))).toEqual(wanted)
    expect(await names(operations.listBySubscription())).toEqual([...wanted, 'single'])
    const sizes: number[] = []
    for await (const page of operations.listByResourceGroup('many').byPage()) {
      sizes.push(page.length)
    }
    expect(sizes).toEqual([limits.armPageSize, limits.armPageSize, 5])
  })

  test('lists the user credential', async () => {
    const { path } = await enrolledCluster(api, 'cred', 'c1')
    const credential = await clusters.connectedClusterOperations.listClusterUserCredential(
      'cred',
      'c1',
      { authenticationMethod: 'AAD', clientProxy: true },
    )
    expect(credential.hybridConnectionConfig?.hybridConnectionName).toMatch(
      /^microsoft\.kubernetes\/connectedclusters\/[0-9a-f]{64}\/[0-9]{19}$/,
    )
    expect(credential.hybridConnectionConfig?.relay).toBe(new URL(api.url).host)
    const [kubeconfig] = credential.kubeconfigs ?? []
    expect(Buffer.from(kubeconfig?.value ?? []).toString()).toContain('current-context: c1\r\n')
    expect(path).toContain('c1')
  })

  test('lists the operations of the provider', async () => {
    const list = await Array.fromAsync(clusters.operations.list())
    const names = list.map((operation) => operation.name)
    expect(names).toContain('Microsoft.Kubernetes/connectedClusters/read')
  })

  test('turns a refusal into a RestError with the code of ARM', async () => {
    const stranger = new ConnectedKubernetesClient(credentialFor('stranger'), api.subscriptionId, {
      endpoint: api.url,
      tlsOptions: { ca: api.ca },
    })
    await expect(stranger.connectedClusterOperations.get('sdk', 'first')).rejects.toMatchObject({
      code: 'AuthorizationFailed',
      statusCode: 403,
    })
  })
})

describe('@azure/arm-resources-subscriptions', () => {
  test('lists tenants, subscriptions and locations', async () => {
    const tenants = await Array.fromAsync(subscriptions.tenants.list())
    expect(tenants.map((tenant) => tenant.tenantId)).toEqual([administrator.tenantId])
    const all = await Array.fromAsync(subscriptions.subscriptions.list())
    expect(all.map((one) => [one.subscriptionId, one.state])).toEqual([
      [api.subscriptionId, 'Enabled'],
    ])
    const one = await subscriptions.subscriptions.get(api.subscriptionId)
    expect(one.id).toBe(`/subscriptions/${api.subscriptionId}`)
    const locations = await Array.fromAsync(
      subscriptions.subscriptions.listLocations(api.subscriptionId),
    )
    expect(locations.map((location) => location.name)).toEqual(['local'])
  })

  test('names an unknown subscription', async () => {
    const unknown = '00000000-0000-4000-8000-000000000000'
    await expect(subscriptions.subscriptions.get(unknown)).rejects.toMatchObject({
      statusCode: 404,
      code: 'SubscriptionNotFound',
    })
  })
})
