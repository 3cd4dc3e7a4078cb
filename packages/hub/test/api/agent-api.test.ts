/**
 * What an enrolled agent may say and ask.
 * @module
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { agentApiPaths, clusterHash, limits } from '@sallyport/protocol'
import { enrolledCluster, heartbeat, makeAssertion } from './support/agent.ts'
import { startApi, type Answer, type ApiFixture } from './support/api-fixture.ts'

let api: ApiFixture
beforeEach(async () => {
  api = await startApi()
})
afterEach(async () => {
  await api[Symbol.asyncDispose]()
})

describe('heartbeat', () => {
  const status = async (path: string): Promise<string> =>
    (await api.call('GET', path)).at('properties.connectivityStatus') as string

  test('makes the cluster Connected, and its absence Offline', async () => {
    const { path, agentId, keys } = await enrolledCluster(api, 'rg', 'c1')
    expect(await status(path)).toBe('Connecting')
    const answer = await heartbeat(api, { agentId, keys }, { listening: false })
    expect(answer.body).toEqual({
      serverTime: Math.floor(api.clock.now / 1000),
      intervalMs: limits.agentHeartbeatMs,
    })
    expect(await status(path)).toBe('Connecting')
    await heartbeat(api, { agentId, keys })
    expect(await status(path)).toBe('Connected')
    api.clock.now += limits.agentPresenceLeaseMs - 1
    expect(await status(path)).toBe('Connected')
    const seen = new Date(api.clock.now - limits.agentPresenceLeaseMs + 1).toISOString()
    api.clock.now += 1
    expect(await status(path)).toBe('Offline')
    expect((await api.call('GET', path)).at('properties.lastConnectivityTime')).toBe(seen)
    await heartbeat(api, { agentId, keys })
    expect(await status(path)).toBe('Connected')
    await heartbeat(api, { agentId, keys }, { state: 'stopping' })
    expect(await status(path)).toBe('Offline')
  })

  test('counts a cluster as Connected while one of two processes lives', async () => {
    const { path, agentId, keys } = await enrolledCluster(api, 'rg', 'c1')
    await heartbeat(api, { agentId, keys }, { instance: 'instance-1' })
    await heartbeat(api, { agentId, keys }, { instance: 'instance-2' })
    await heartbeat(api, { agentId, keys }, { instance: 'instance-1', state: 'stopping' })
    expect(await status(path)).toBe('Connected')
    const rows = await api.store.db
      .selectFrom('presence')
      .select(['instance', 'epoch'])
      .orderBy('epoch')
      .execute()
    expect(rows.map((row) => ({ ...row }))).toEqual([
      { instance: 'instance-1', epoch: 1 },
      { instance: 'instance-2', epoch: 2 },
    ])
  })

  test('brings versions and totals, which stay while the agent is away', async () => {
    const { path, agentId, keys } = await enrolledCluster(api, 'rg', 'c1')
    await heartbeat(
      api,
      { agentId, keys },
      {
        kubernetesVersion: 'v1.30.4',
        totalNodeCount: 3,
        totalCoreCount: 24,
        distribution: 'k3s',
        infrastructure: 'generic',
      },
    )
    api.clock.now += 86_400_000
    expect((await api.call('GET', path)).at('properties')).toMatchObject({
      kubernetesVersion: 'v1.30.4',
      agentVersion: '0.1.0',
      totalNodeCount: 3,
      totalCoreCount: 24,
      distribution: 'k3s',
      infrastructure: 'generic',
      connectivityStatus: 'Offline',
    })
    await heartbeat(api, { agentId, keys }, { agentVersion: '0.2.0' })
    expect((await api.call('GET', path)).at('properties')).toMatchObject({
      agentVersion: '0.2.0',
      totalNodeCount: 3,
    })
  })

  test('keeps the rows of processes below the limit however often the agent restarts', async () => {
    const { agentId, keys } = await enrolledCluster(api, 'rg', 'c1')
    for (let index = 0; index < limits.presenceRowsPerCluster + 10; index += 1) {
      await heartbeat(api, { agentId, keys }, { instance: `instance-${String(index)}` })
    }
    const rows = await api.store.db.selectFrom('presence').select('instance').execute()
    expect(rows).toHaveLength(limits.presenceRowsPerCluster)
    expect(rows.map((row) => row.instance)).toContain(
      `instance-${String(limits.presenceRowsPerCluster + 9)}`,
    )
  })

  test('refuses a report that is not of its shape', async () => {
    const { agentId, keys } = await enrolledCluster(api, 'rg', 'c1')
    expect((await heartbeat(api, { agentId, keys }, { state: 'idle' })).status).toBe(400)
    expect((await heartbeat(api, { agentId, keys }, { totalNodeCount: -1 })).status).toBe(400)
    const large = { filler: 'x'.repeat(limits.agentReportBytes) }
    expect((await heartbeat(api, { agentId, keys }, large)).status).toBe(413)
  })

  test('is refused once the cluster is deleted', async () => {
    const { path, agentId, keys } = await enrolledCluster(api, 'rg', 'c1')
    await api.call('DELETE', path)
    expect((await heartbeat(api, { agentId, keys })).status).toBe(401)
  })
})

describe('an agent assertion', () => {
  const relays = (token: string): Promise<Answer> =>
    api.call('POST', agentApiPaths.relays, { token, body: {} })

  test('gets the relays of its own cluster', async () => {
    const { path, agentId, keys } = await enrolledCluster(api, 'rg', 'c1')
    const answer = await relays(await makeAssertion(api, { agentId, key: keys.privateKey }))
    expect(answer.status).toBe(200)
    expect(answer.at('relays.0.url')).toContain(
      `/$hc/microsoft.kubernetes/connectedclusters/${await clusterHash(path)}`,
    )
  })

  test('works once', async () => {
    const { agentId, keys } = await enrolledCluster(api, 'rg', 'c1')
    const token = await makeAssertion(api, { agentId, key: keys.privateKey })
    const statuses = (await Promise.all([relays(token), relays(token), relays(token)])).map(
      (answer) => answer.status,
    )
    expect(statuses.sort()).toEqual([200, 401, 401])
  })

  test('is refused when anything about it is wrong', async () => {
    const { agentId, keys } = await enrolledCluster(api, 'rg', 'c1')
    const other = await enrolledCluster(api, 'rg', 'c2')
    const good = { agentId, key: keys.privateKey }
    const now = Math.floor(api.clock.now / 1000)
    for (const spoiled of [
      { ...good, key: other.keys.privateKey },
      { ...good, agentId: other.agentId },
      { ...good, agentId: '00000000-0000-4000-8000-000000000000' },
      { ...good, sub: other.agentId },
      { ...good, aud: 'https://elsewhere.example' },
      { ...good, typ: 'at+jwt' },
      { ...good, ttl: 61 },
      { ...good, iat: now - 120 },
      { ...good, iat: now + 120 },
      { ...good, jti: 'short' },
    ]) {
      expect((await relays(await makeAssertion(api, spoiled))).status).toBe(401)
    }
    expect((await relays('a.b.c')).status).toBe(401)
    expect((await relays(await makeAssertion(api, good))).status).toBe(200)
  })

  test('is limited in number, so that the ids remembered are', async () => {
    const { agentId, keys } = await enrolledCluster(api, 'rg', 'c1')
    const send = async (): Promise<number> =>
      (await relays(await makeAssertion(api, { agentId, key: keys.privateKey }))).status
    for (let index = 0; index < limits.agentAssertionsPerAgent; index += 1) {
      expect(await send()).toBe(200)
    }
    expect(await send()).toBe(429)
    api.clock.now += limits.agentAssertionTtlMs + limits.clusterTokenSkewMs + 1000
    expect(await send()).toBe(200)
  })
})
