/**
 * listClusterUserCredential: the published shape and our part of it.
 * @module
 */
import { decodeJwt } from 'jose'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { clusterHash, limits } from '@sallyport/protocol'
import {
  clusterPath,
  ecOnboardingKey,
  enrolledCluster,
  putCluster,
  putGroup,
} from './support/agent.ts'
import { administrator, startApi, type Answer, type ApiFixture } from './support/api-fixture.ts'

let api: ApiFixture
beforeEach(async () => {
  api = await startApi()
})
afterEach(async () => {
  await api[Symbol.asyncDispose]()
})

const thumbprint = 'T'.repeat(43)
const ask = (path: string, body: Record<string, unknown> = {}): Promise<Answer> =>
  api.call('POST', `${path}/listClusterUserCredential`, {
    body: { authenticationMethod: 'AAD', clientProxy: true, ...body },
  })
const askOurs = (path: string, sessionId?: string, method = 'AAD'): Promise<Answer> =>
  ask(path, {
    authenticationMethod: method,
    sallyport: {
      certificateThumbprint: thumbprint,
      ...(sessionId === undefined ? {} : { sessionId }),
    },
  })

describe('the published shape', () => {
  test('has the relay, the path with a nanosecond time, a token, and a kubeconfig', async () => {
    const { path } = await enrolledCluster(api, 'Rg', 'C1')
    const hash = await clusterHash(path)
    const answer = await ask(path)
    expect(answer.body).toEqual({
      hybridConnectionConfig: {
        expirationTime: Math.floor(api.clock.now / 1000) + 120,
        hybridConnectionName: `microsoft.kubernetes/connectedclusters/${hash}/${String(api.clock.now)}000000`,
        relay: new URL(api.url).host,
        relayTid: administrator.tenantId,
        relayType: 'byor',
        token: expect.stringMatching(/^SharedAccessSignature sr=/) as string,
      },
      kubeconfigs: [{ name: 'Kubeconfig', value: expect.any(String) as string }],
    })
    const text = Buffer.from(String(answer.at('kubeconfigs.0.value')), 'base64').toString()
    expect(
      text
        .split('\n')
        .slice(0, -1)
        .every((line) => line.endsWith('\r')),
    ).toBe(true)
    expect(parse(text)).toMatchObject({
      'current-context': 'C1',
      clusters: [{ name: 'C1', cluster: { server: `https://127.0.0.1:47011/proxies/${hash}` } }],
      users: [{ name: 'clusterUser_rg_C1', user: {} }],
    })
  })

  test('has no relay without clientProxy, and comes under the old plural name too', async () => {
    const { path } = await enrolledCluster(api, 'rg', 'c1')
    const { body } = await ask(path, { clientProxy: false })
    expect(body).toEqual({ kubeconfigs: [expect.anything()] })
    const plural = await api.call('POST', `${path}/listClusterUserCredentials`, {
      body: { authenticationMethod: 'Token', clientProxy: true },
    })
    expect(plural.status).toBe(200)
  })

  test('is refused for another method, for wrong fields, and before any agent enrolled', async () => {
    const { path } = await enrolledCluster(api, 'rg', 'c1')
    const method = await ask(path, { authenticationMethod: 'Password' })
    expect([method.status, method.at('error.target')]).toEqual([400, 'authenticationMethod'])
    const proxy = await ask(path, { clientProxy: 'yes' })
    expect([proxy.status, proxy.at('error.target')]).toEqual([400, 'clientProxy'])
    const ours = await ask(path, { sallyport: { certificateThumbprint: 'short' } })
    expect([ours.status, ours.at('error.target')]).toEqual([400, 'sallyport.certificateThumbprint'])
    const fresh = clusterPath(api, 'rg', 'fresh')
    await putGroup(api, 'rg')
    await putCluster(api, fresh, ecOnboardingKey())
    const early = await ask(fresh)
    expect(early.status).toBe(503)
    expect(early.at('error')).toMatchObject({
      code: 'ClusterOffline',
      message: "cluster 'fresh' was never connected: no agent has enrolled yet",
    })
    expect((await ask(clusterPath(api, 'rg', 'absent'))).status).toBe(404)
  })
})

describe('our part', () => {
  test('is a token for one cluster, one principal and one certificate', async () => {
    const { path, keys } = await enrolledCluster(api, 'rg', 'c1')
    const answer = await askOurs(path)
    expect(answer.at('sallyport')).toMatchObject({
      clusterId: path,
      agentKeySha256: keys.linkKeySha256,
      serverTime: Math.floor(api.clock.now / 1000),
      clusterTokenExpiresAt: Math.floor(api.clock.now / 1000) + 300,
    })
    expect(answer.at('sallyport.relays')).toHaveLength(1)
    expect(decodeJwt(String(answer.at('sallyport.clusterToken')))).toMatchObject({
      iss: api.url,
      aud: `urn:sallyport:cluster:${await clusterHash(path)}`,
      sub: administrator.objectId,
      oid: administrator.objectId,
      idtyp: 'app',
      tid: administrator.tenantId,
      sid: answer.at('sallyport.sessionId'),
      auth: 'AAD',
      groups: administrator.groups,
      cnf: { 'x5t#S256': thumbprint },
    })
  })

  test('comes for a cluster whose agent is away', async () => {
    const { path } = await enrolledCluster(api, 'rg', 'c1')
    api.clock.now += 86_400_000
    expect((await askOurs(path)).status).toBe(200)
  })

  test('keeps a session for the same principal, cluster and method, and for nobody else', async () => {
    const { path } = await enrolledCluster(api, 'rg', 'c1')
    const other = await enrolledCluster(api, 'rg', 'c2')
    const sid = async (answer: Promise<Answer>): Promise<string> =>
      (await answer).at('sallyport.sessionId') as string
    const first = await sid(askOurs(path))
    expect(await sid(askOurs(path, first))).toBe(first)
    expect(await sid(askOurs(path, first.toUpperCase()))).toBe(first)
    expect(await sid(askOurs(path))).not.toBe(first)
    expect(await sid(askOurs(other.path, first))).not.toBe(first)
    expect(await sid(askOurs(path, first, 'Token'))).not.toBe(first)
    const made = '12345678-1234-4123-8123-123456789abc'
    expect(await sid(askOurs(path, made))).not.toBe(made)
    await api.store.db
      .updateTable('sessions')
      .set({ principal_id: 'someone else' })
      .where('session_id', '=', first)
      .execute()
    expect(await sid(askOurs(path, first))).not.toBe(first)
  })

  test('forgets sessions nobody renews, and the oldest of too many', async () => {
    const { path } = await enrolledCluster(api, 'rg', 'c1')
    const count = async (): Promise<number> =>
      (await api.store.db.selectFrom('sessions').select('session_id').execute()).length
    for (let index = 0; index < limits.sessionRecordsPerPrincipalAndCluster + 20; index += 1) {
      api.clock.now += 1
      await askOurs(path)
    }
    expect(await count()).toBe(limits.sessionRecordsPerPrincipalAndCluster)
    api.clock.now += limits.sessionRecordTtlMs
    await askOurs(path)
    expect(await count()).toBe(1)
  })
})
