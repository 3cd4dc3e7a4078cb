/**
 * The feed as an agent sees it: statements it can verify, at once when there is news.
 * @module
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { compactVerify, decodeJwt, decodeProtectedHeader, importJWK } from 'jose'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  FeedClaimsSchema,
  FeedResponseSchema,
  KeyClaimsSchema,
  agentApiPaths,
  clusterAudience,
  clusterHash,
  feedStatementType,
  keyStatementType,
  limits,
  parser,
  type FeedClaims,
  type FeedResponse,
} from '@sallyport/protocol'
import { revoke, type RevocationTarget } from '../../src/registry/revocations.ts'
import { enrolledCluster, heartbeat, makeAssertion } from './support/agent.ts'
import { startApi, type ApiFixture } from './support/api-fixture.ts'

const parseFeed = parser(FeedClaimsSchema, 'statement')
const parseKeys = parser(KeyClaimsSchema, 'statement')
const parseResponse = parser(FeedResponseSchema, 'answer')

let api: ApiFixture
let agent: Awaited<ReturnType<typeof enrolledCluster>>
beforeEach(async () => {
  api = await startApi()
  agent = await enrolledCluster(api, 'rg', 'c1')
})
afterEach(async () => {
  await api[Symbol.asyncDispose]()
})

const pinned = (): string[] => api.keys.publicKeys().map(({ kid }) => kid)

/** Asks as the agent; `after` absent is the first request of a process. */
async function ask(body: object = {}): Promise<FeedResponse & { claims: FeedClaims }> {
  const token = await makeAssertion(api, { agentId: agent.agentId, key: agent.keys.privateKey })
  const nonce = randomBytes(16).toString('base64url')
  const answer = await api.call('POST', agentApiPaths.feed, {
    token,
    body: { instance: 'instance-1', nonce, keyIds: pinned(), ...body },
  })
  expect(answer.status).toBe(200)
  const response = parseResponse(answer.body)
  const [key] = api.keys.publicKeys().slice(-1)
  const { kid } = decodeProtectedHeader(response.statement)
  const signer = api.keys.publicKeys().find((candidate) => candidate.kid === kid) ?? key
  const { payload, protectedHeader } = await compactVerify(
    response.statement,
    await importJWK({ ...signer }, 'ES256'),
  )
  expect(protectedHeader).toEqual({ alg: 'ES256', typ: feedStatementType, kid: signer?.kid })
  const claims = parseFeed(JSON.parse(new TextDecoder().decode(payload)))
  expect(claims.nonce).toBe(nonce)
  return { ...response, claims }
}

async function revokeNow(target: RevocationTarget): Promise<number> {
  const details = { reason: 'test', now: api.clock.now }
  const seq = await api.store.transaction((trx) => revoke(trx, target, details))
  api.context.changes.wake()
  return seq
}

const waiting = (): Promise<void> =>
  expect.poll(() => api.context.changes.waiters, { interval: 1 }).toBe(1)

test('the first request is answered at once: whatever is older counts for nothing', async () => {
  await revokeNow({ kind: 'principal', objectId: 'p1' })
  const { claims, keyStatements } = await ask()
  expect(keyStatements).toEqual([])
  expect(claims).toEqual({
    iss: api.url,
    aud: clusterAudience(await clusterHash(agent.path)),
    iat: Math.floor(api.clock.now / 1000),
    nonce: claims.nonce,
    seq: 1,
    reset: true,
    revocations: [],
    leaseMs: limits.feedLeaseMs,
    assignments: '0',
    disabledFeatures: [],
  })
})

test('a revocation reaches a waiting agent at once', async () => {
  const answer = ask({ after: 0 })
  await waiting()
  const since = performance.now()
  await revokeNow({ kind: 'principal', objectId: 'p1' })
  const { claims } = await answer
  expect(performance.now() - since).toBeLessThan(1_000)
  expect(claims).toMatchObject({
    seq: 1,
    reset: false,
    revocations: [{ seq: 1, kind: 'principal', target: 'p1' }],
  })
})

test('T-REV-2 what was missed is told in order', async () => {
  for (const objectId of ['a', 'b', 'c']) await revokeNow({ kind: 'principal', objectId })
  const { claims } = await ask({ after: 1 })
  expect(claims.reset).toBe(false)
  expect(claims.revocations.map(({ seq, target }) => [seq, target])).toEqual([
    [2, 'b'],
    [3, 'c'],
  ])
})

test('forgotten revocations are a reset', async () => {
  await revokeNow({ kind: 'principal', objectId: 'a' })
  api.clock.now += limits.revocationTtlMs
  await revokeNow({ kind: 'principal', objectId: 'b' })
  expect((await ask({ after: 0 })).claims).toMatchObject({ seq: 2, reset: true, revocations: [] })
})

test('X152 an agent ahead of a restored hub is told to reset, and the log says so', async () => {
  await revokeNow({ kind: 'all' })
  expect((await ask({ after: 9 })).claims).toMatchObject({ seq: 1, reset: true })
  expect(api.log.join('')).toContain('"event":"feed.behind"')
})

test('other assignments and switched-off features are news', async () => {
  let version = 'v1'
  let features: string[] = []
  api.context.assignmentsVersion = () => Promise.resolve(version)
  api.context.disabledFeatures = () => Promise.resolve(features)
  const first = ask({ after: 0, assignments: 'v1', disabledFeatures: [] })
  await waiting()
  version = 'v2'
  api.context.changes.wake()
  expect((await first).claims.assignments).toBe('v2')
  const second = ask({ after: 0, assignments: 'v2', disabledFeatures: [] })
  await waiting()
  features = ['cluster-connect']
  api.context.changes.wake()
  expect((await second).claims.disabledFeatures).toEqual(['cluster-connect'])
})

test('a wake without news is not an answer; a hub that stops gives one', async () => {
  const answer = ask({ after: 0 })
  await waiting()
  api.context.changes.wake()
  await waiting()
  api.context.changes.close()
  expect((await answer).claims).toMatchObject({ seq: 0, reset: false, revocations: [] })
})

test('an agent that is removed while it waits hears it', async () => {
  const token = await makeAssertion(api, { agentId: agent.agentId, key: agent.keys.privateKey })
  const answer = api.call('POST', agentApiPaths.feed, {
    token,
    body: { instance: 'instance-1', nonce: 'n'.repeat(22), after: 0, keyIds: pinned() },
  })
  await waiting()
  await api.call('DELETE', agent.path)
  expect((await answer).at('error.additionalInfo.0.info.code')).toBe('ERR_AGENT_UNKNOWN')
})

test.each([{ nonce: 'short' }, { keyIds: [] }, { after: -1 }, { instance: '' }])(
  'a request with %o is refused',
  async (change) => {
    const token = await makeAssertion(api, { agentId: agent.agentId, key: agent.keys.privateKey })
    const nonce = 'n'.repeat(22)
    const body = { instance: 'instance-1', nonce, keyIds: pinned(), ...change }
    expect((await api.call('POST', agentApiPaths.feed, { token, body })).status).toBe(400)
  },
)

test('nobody but an agent may ask', async () => {
  const body = { instance: 'instance-1', nonce: 'n'.repeat(22), keyIds: pinned() }
  expect((await api.call('POST', agentApiPaths.feed, { body })).status).toBe(401)
})

test('key rotation: announced by the old key, signing once every connected agent pins it, old one dropped later', async () => {
  await heartbeat(api, agent)
  const [before = ''] = pinned()
  const polling = ask({ after: 0, keyIds: [before] })
  await waiting()
  const kid = await api.context.keyRotation.rotate()
  const { keyStatements } = await polling
  expect(keyStatements).toHaveLength(1)
  const [statement = ''] = keyStatements
  expect(decodeProtectedHeader(statement)).toEqual({
    alg: 'ES256',
    typ: keyStatementType,
    kid: before,
  })
  expect(parseKeys(decodeJwt(statement)).keys.map((key) => key.kid)).toEqual([before, kid])
  expect(api.keys.signing.kid).toBe(before)
  // The agent says that it pins both: nothing is waited for any more.
  const confirmed = ask({ after: 0, keyIds: [before, kid] })
  await expect.poll(() => api.keys.signing.kid).toBe(kid)
  api.context.changes.close()
  await confirmed
  expect(await api.context.keyRotation.rotate()).not.toBe(kid)
})

test('a connected agent that does not confirm is waited for as long as its lease could last', async () => {
  const [before = ''] = pinned()
  const { keyRotation } = api.context
  const kid = await keyRotation.rotate()
  await expect.poll(() => api.keys.signing.kid).toBe(kid)
  await heartbeat(api, agent)
  // The first is still to be dropped; now there is an agent that says nothing.
  const second = await keyRotation.rotate()
  api.clock.now += limits.agentPresenceLeaseMs - 1
  await heartbeat(api, agent)
  await keyRotation.rotate()
  await api.keys.dropOld()
  expect(api.keys.signing.kid).toBe(kid)
  api.clock.now += limits.feedLeaseMs + limits.clusterTokenSkewMs - limits.agentPresenceLeaseMs + 1
  await heartbeat(api, agent)
  expect(await keyRotation.rotate()).toBe(second)
  await expect.poll(() => api.keys.signing.kid).toBe(second)
  expect(pinned()).toEqual([before, kid, second])
})

test('X085 a stolen key: the new one signs at once, everybody needs a new token', async () => {
  const [before = ''] = pinned()
  const polling = ask({ after: 0, keyIds: [before] })
  await waiting()
  const since = performance.now()
  const kid = await api.context.keyRotation.rotate('now')
  const { claims, keyStatements } = await polling
  expect(performance.now() - since).toBeLessThan(2_000)
  expect(pinned()).toEqual([kid])
  expect(claims.revocations).toEqual([{ seq: 1, kind: 'all', target: '' }])
  expect(parseKeys(decodeJwt(keyStatements.at(-1) ?? '')).keys.map((key) => key.kid)).toEqual([kid])
})

test('a foreign key in place of the agent gets nothing', async () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const token = await makeAssertion(api, { agentId: agent.agentId, key: privateKey })
  const body = { instance: 'instance-1', nonce: 'n'.repeat(22), keyIds: pinned() }
  expect((await api.call('POST', agentApiPaths.feed, { token, body })).status).toBe(401)
})
