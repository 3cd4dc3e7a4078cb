import { generateKeyPairSync } from 'node:crypto'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { SallyportError, type AgentState } from '@sallyport/protocol'
import { ensureEnrolled, readAgentState, type EnrolmentParts } from '../../src/enrolment/enrol.ts'
import { lockState } from '../../src/enrolment/state-lock.ts'
import { issuer, makeHubKey } from '../rig/hub-key.ts'

const clusterId =
  '/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/rg/providers/Microsoft.Kubernetes/connectedClusters/c1'
const onboarding = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const answer = {
  clusterId,
  agentId: '22222222-2222-4222-8222-222222222222',
  issuer,
  clusterTokenKeys: [makeHubKey().pinned],
  serverTime: 1,
}

let directory: string
let proofs: string[]
let refusals: SallyportError[]
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sallyport-agent-'))
  proofs = []
  refusals = []
})
afterEach(() => {
  rmSync(directory, { recursive: true })
})

function connect(key = onboarding.privateKey): void {
  const onboardingKey = key.export({ type: 'pkcs8', format: 'pem' })
  const file = { hub: 'https://hub.example:8443', clusterId, onboardingKey }
  writeFileSync(join(directory, 'enrolment.json'), JSON.stringify(file))
}

/** Enrols; `hub` is called for each proof. */
function enrol(hub: () => unknown = () => answer): Promise<AgentState> {
  const parts: EnrolmentParts = {
    directory,
    kubernetesUid: () => Promise.resolve('uid-1'),
    redeem: async (_, prove) => {
      proofs.push(await prove())
      return hub()
    },
    onRefused: (error) => refusals.push(error),
    signal: new AbortController().signal,
  }
  return ensureEnrolled(parts)
}

const linkKey = (proof: string): unknown => decodeJwt(proof)['linkKeySha256']
const agentKey = (proof: string): unknown => decodeJwt(proof)['agentKey']
const died = (): never => {
  throw new SallyportError('ERR_HUB_UNREACHABLE', 'the answer was lost')
}

test('first start proves with the onboarding key, stores the state and removes the key', async () => {
  connect()
  const state = await enrol()
  const proof = proofs[0] ?? ''
  const { payload, protectedHeader } = await jwtVerify(proof, onboarding.publicKey, {
    typ: 'sallyport-enrol+jwt',
    audience: 'https://hub.example:8443',
    subject: clusterId,
  })
  expect(protectedHeader.alg).toBe('ES256')
  expect(payload['kubernetesUid']).toBe('uid-1')
  expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBeLessThanOrEqual(60)
  expect(readdirSync(directory)).toEqual(['agent.json'])
  expect(statSync(join(directory, 'agent.json')).mode & 0o777).toBe(0o600)
  expect(await readAgentState(directory)).toEqual(state)
  expect(proof).not.toContain('PRIVATE')
  expect(await enrol(died)).toEqual(state)
})

test('an RSA onboarding key proves with PS256', async () => {
  connect(rsa.privateKey)
  await enrol()
  expect(decodeProtectedHeader(proofs[0] ?? '').alg).toBe('PS256')
})

test('X088 a lost answer is asked for again with the same keys', async () => {
  connect()
  await expect(enrol(died)).rejects.toThrow('the answer was lost')
  expect(readdirSync(directory).sort()).toEqual(['agent-keys.json', 'enrolment.json'])
  await enrol()
  expect(linkKey(proofs[1] ?? '')).toBe(linkKey(proofs[0] ?? ''))
  expect(agentKey(proofs[1] ?? '')).toEqual(agentKey(proofs[0] ?? ''))
})

test('a crash between the last two steps ends in the same state', async () => {
  connect()
  const file = readFileSync(join(directory, 'enrolment.json'))
  const state = await enrol()
  writeFileSync(join(directory, 'enrolment.json'), file)
  expect(await enrol()).toEqual(state)
  expect(linkKey(proofs[1] ?? '')).toBe(linkKey(proofs[0] ?? ''))
  expect(existsSync(join(directory, 'enrolment.json'))).toBe(false)
})

test('connect twice keeps the keys of the agent', async () => {
  connect()
  const first = await enrol()
  connect(rsa.privateKey)
  const second = await enrol(() => ({ ...answer, agentId: '33333333-3333-4333-8333-333333333333' }))
  expect(second.agentId).not.toBe(first.agentId)
  expect(second.linkKey).toBe(first.linkKey)
  expect(second.agentKey).toBe(first.agentKey)
})

describe('refusals', () => {
  const refuse = (): never => {
    throw new SallyportError('ERR_ENROLMENT_REFUSED', 'this enrolment is not possible')
  }

  test('of the first enrolment end it; everything needed to try again stays', async () => {
    connect()
    await expect(enrol(refuse)).rejects.toMatchObject({ code: 'ERR_ENROLMENT_REFUSED' })
    expect(existsSync(join(directory, 'enrolment.json'))).toBe(true)
  })

  test('of a leftover file leave the enrolled agent as it is', async () => {
    connect()
    const state = await enrol()
    connect()
    expect(await enrol(refuse)).toEqual(state)
    expect(refusals).toHaveLength(1)
    expect(readdirSync(directory)).toEqual(['agent.json'])
  })

  test.each([
    ['another cluster', { ...answer, clusterId: clusterId.replace('c1', 'c2') }],
    ['no keys', { ...answer, clusterTokenKeys: [] }],
    ['nonsense', { hello: 'world' }],
  ])('an answer with %s is not stored', async (_, body) => {
    connect()
    await expect(enrol(() => body)).rejects.toMatchObject({ code: 'ERR_ENROLMENT_REFUSED' })
    expect(existsSync(join(directory, 'agent.json'))).toBe(false)
  })

  test('never enrolled, damaged files and odd keys are named', async () => {
    await expect(enrol()).rejects.toMatchObject({ code: 'ERR_AGENT_UNKNOWN' })
    writeFileSync(join(directory, 'enrolment.json'), '{"hub":')
    await expect(enrol()).rejects.toMatchObject({ code: 'ERR_STATE_INVALID' })
    connect(generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).privateKey)
    await expect(enrol()).rejects.toThrow(/neither RSA nor P-256/)
    writeFileSync(join(directory, 'agent.json'), '')
    await expect(enrol()).rejects.toThrow(/agent\.json/)
  })
})

describe('lock', () => {
  test('a second agent is refused while the first lives', async () => {
    const held = await lockState(directory)
    const path = join(directory, 'agent.lock')
    // The parent of this process lives, under another pid than ours.
    writeFileSync(path, `${process.ppid} \n`)
    await expect(lockState(directory)).rejects.toMatchObject({ code: 'ERR_FILE_LOCKED' })
    await held.release()
    await (await lockState(directory)).release()
    expect(readdirSync(directory)).toEqual([])
  })

  test.each(['999999999 1\n', '', 'x y', `${process.ppid} 1\n`])(
    'a lock left by a dead agent (%j) is taken over',
    async (text) => {
      writeFileSync(join(directory, 'agent.lock'), text)
      await (await lockState(directory)).release()
    },
  )
})
