/**
 * Enrolment, as an agent sees it.
 * @module
 */
import { createHmac } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { agentApiPaths, limits } from '@sallyport/protocol'
import {
  agentKeys,
  clusterPath,
  ecOnboardingKey,
  enrol,
  enrolledCluster,
  heartbeat,
  makeProof,
  putCluster,
  putGroup,
  rsaOnboardingKey,
  type AgentKeys,
  type ProofParts,
} from './support/agent.ts'
import { startApi, type ApiFixture } from './support/api-fixture.ts'

let api: ApiFixture
beforeEach(async () => {
  api = await startApi()
})
afterEach(async () => {
  await api[Symbol.asyncDispose]()
})

const newCluster = async (name = 'c1', onboarding = ecOnboardingKey()): Promise<ProofParts> => {
  await putGroup(api, 'rg')
  const clusterId = clusterPath(api, 'rg', name)
  expect((await putCluster(api, clusterId, onboarding)).status).toBe(201)
  return { clusterId, onboarding, keys: agentKeys() }
}

const refused = {
  status: 403,
  body: { error: { additionalInfo: [{ info: { code: 'ERR_ENROLMENT_REFUSED' } }] } },
}

describe('enrol', () => {
  test.each([
    ['P-256', ecOnboardingKey, undefined],
    ['RSA as RS256', rsaOnboardingKey, 'RS256'],
    ['RSA as PS256', rsaOnboardingKey, 'PS256'],
  ])('takes a proof by %s and answers what the agent pins', async (_name, make, algorithm) => {
    const parts = await newCluster('c1', make())
    const answer = await enrol(api, {
      ...parts,
      clusterId: parts.clusterId.toUpperCase(),
      ...(algorithm === undefined ? {} : { algorithm }),
    })
    expect(answer.status).toBe(200)
    expect(answer.body).toEqual({
      clusterId: parts.clusterId,
      agentId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      issuer: api.url,
      clusterTokenKeys: api.context.clusterTokens.publicKeys(),
      serverTime: Math.floor(api.clock.now / 1000),
    })
  })

  test('T-ENR-1: lets exactly one of 200 parallel agents in', async () => {
    const parts = await newCluster()
    const answers = await Promise.all(
      Array.from({ length: 200 }, () => enrol(api, { ...parts, keys: agentKeys() })),
    )
    const won = answers.filter((answer) => answer.status === 200)
    expect(won).toHaveLength(1)
    for (const answer of answers) if (!won.includes(answer)) expect(answer).toMatchObject(refused)
    const agents = await api.store.db.selectFrom('agents').select('agent_id').execute()
    expect(agents.map((agent) => agent.agent_id)).toEqual([won[0]?.at('agentId')])
  })

  test('X088: gives the same agent the same answer again, and no other', async () => {
    const parts = await newCluster()
    const first = await enrol(api, parts)
    const again = await enrol(api, parts)
    expect(again.body).toEqual(first.body)
    const otherLink = { ...parts.keys, linkKeySha256: agentKeys().linkKeySha256 }
    expect(await enrol(api, { ...parts, keys: otherLink })).toMatchObject(refused)
    const otherKey = { ...agentKeys(), linkKeySha256: parts.keys.linkKeySha256 }
    expect(await enrol(api, { ...parts, keys: otherKey })).toMatchObject(refused)
    expect(await enrol(api, { ...parts, kubernetesUid: 'uid-2' })).toMatchObject(refused)
  })

  test('X086: refuses a key that ran out, belongs to another cluster or was never given', async () => {
    const parts = await newCluster()
    const other = await newCluster('c2')
    expect(await enrol(api, { ...parts, clusterId: other.clusterId })).toMatchObject(refused)
    expect(await enrol(api, { ...parts, onboarding: ecOnboardingKey() })).toMatchObject(refused)
    const absent = clusterPath(api, 'rg', 'absent')
    expect(await enrol(api, { ...parts, clusterId: absent })).toMatchObject(refused)
    api.clock.now += limits.onboardingKeyTtlMs
    expect(await enrol(api, parts)).toMatchObject(refused)
    const shown = await api.call('GET', parts.clusterId)
    expect(shown.at('properties.connectivityStatus')).toBe('Expired')
  })

  test('refuses with one text, whatever the reason', async () => {
    const parts = await newCluster()
    const bodies = await Promise.all([
      enrol(api, { ...parts, clusterId: clusterPath(api, 'rg', 'absent') }),
      enrol(api, { ...parts, onboarding: ecOnboardingKey() }),
      enrol(api, { ...parts, typ: 'at+jwt' }),
    ])
    const texts = bodies.map((answer) =>
      JSON.stringify(answer.body).replace(String(answer.headers['x-ms-request-id']), ''),
    )
    expect(new Set(texts).size).toBe(1)
  })

  test.each<[string, Partial<ProofParts>]>([
    ['another type', { typ: 'sallyport-agent+jwt' }],
    ['another audience', { aud: 'https://elsewhere.example' }],
    ['a life of more than 10 minutes', { ttl: 601 }],
    ['a subject that is no cluster', { clusterId: 'c1' }],
    ['a made-up Kubernetes uid', { kubernetesUid: 'x'.repeat(65) }],
    ['a link key that is no digest', { keys: { ...agentKeys(), linkKeySha256: '-----BEGIN' } }],
  ])('refuses a proof with %s', async (_name, spoiled) => {
    const parts = await newCluster()
    expect(await enrol(api, { ...parts, ...spoiled })).toMatchObject(refused)
    expect((await enrol(api, parts)).status).toBe(200)
  })

  test('X092: tells a proof outside its time what the hub says the time is', async () => {
    const parts = await newCluster()
    for (const offset of [-3600, 3600]) {
      const iat = Math.floor(api.clock.now / 1000) + offset
      const answer = await enrol(api, { ...parts, iat })
      expect(answer).toMatchObject(refused)
      expect(answer.at('error.additionalInfo.0.info.why')).toContain(
        new Date(api.clock.now).toISOString(),
      )
    }
  })

  test('refuses a proof whose algorithm was changed', async () => {
    const parts = await newCluster()
    const proof = await makeProof(api, parts)
    const [header = '', payload = '', signature = ''] = proof.split('.')
    const b64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const fields = JSON.parse(Buffer.from(header, 'base64url').toString()) as object
    const none = `${b64({ ...fields, alg: 'none' })}.${payload}.`
    const hmacInput = `${b64({ ...fields, alg: 'HS256' })}.${payload}`
    const hmac = createHmac('sha256', Buffer.from(parts.onboarding.certificate, 'base64'))
      .update(hmacInput)
      .digest('base64url')
    const stolen = `${header}.${b64({ sub: parts.clusterId })}.${signature}`
    for (const forged of [none, `${hmacInput}.${hmac}`, stolen, 'a.b.c', proof.slice(0, -4)]) {
      const body = { proof: forged }
      expect(await api.call('POST', agentApiPaths.enrol, { body })).toMatchObject(refused)
    }
  })

  test('opens a new chance for a new key and lets the old agent work until it is taken', async () => {
    const { path, agentId, keys } = await enrolledCluster(api, 'rg', 'c1')
    const onboarding = ecOnboardingKey()
    expect((await putCluster(api, path, onboarding)).status).toBe(200)
    const beat = async (id: string, key: AgentKeys): Promise<number> =>
      (await heartbeat(api, { agentId: id, keys: key })).status
    expect(await beat(agentId, keys)).toBe(200)
    const stranger = { clusterId: path, onboarding, keys: agentKeys(), kubernetesUid: 'uid-2' }
    const answer = await enrol(api, stranger)
    expect(answer.status).toBe(409)
    expect(answer.at('error.additionalInfo.0.info.code')).toBe('ERR_CLUSTER_ALREADY_CONNECTED')
    expect(await beat(agentId, keys)).toBe(200)
    const next = { clusterId: path, onboarding, keys: agentKeys() }
    const taken = await enrol(api, next)
    expect(taken.status).toBe(200)
    expect(await beat(agentId, keys)).toBe(401)
    expect(await beat(String(taken.at('agentId')), next.keys)).toBe(200)
  })

  test('does not open a chance again for the key that had one', async () => {
    const parts = await newCluster()
    expect((await enrol(api, parts)).status).toBe(200)
    expect((await putCluster(api, parts.clusterId, parts.onboarding)).status).toBe(200)
    expect(await enrol(api, { ...parts, keys: agentKeys() })).toMatchObject(refused)
    expect((await enrol(api, parts)).status).toBe(200)
  })

  test('keeps private keys, proofs and onboarding keys out of the log', async () => {
    const parts = await newCluster()
    const proof = await makeProof(api, parts)
    await api.call('POST', agentApiPaths.enrol, { body: { proof } })
    const log = api.log.join('')
    expect(log).toContain('agent.enrolled')
    expect(log).not.toContain(proof.split('.')[2])
  })
})
