/**
 * The guard against Go's own understanding. In the cluster project since it builds the API server's code with Go.
 * @module
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { guard, type Identity } from '../../../packages/agent/src/guard/guard.ts'
import { disagreement, type Understood } from '../src/judge.ts'
import { fuzz, FuzzedAgent, tryIdentity, trySending } from '../src/fuzz.ts'
import { startOracle, type Oracle } from '../src/oracle.ts'
import { Random } from '../src/random.ts'

const count = 20_000
const oid = '8d1c6f0e-2a5b-4c1d-9e6f-0a1b2c3d4e5f'
const sid = '11111111-2222-4333-8444-555555555555'
let oracle: Oracle
let agent: FuzzedAgent

beforeAll(async () => {
  oracle = await startOracle()
  agent = new FuzzedAgent(oracle.port, new Random(1))
})
afterAll(async () => {
  agent.close()
  await oracle.stop()
})

test(`X052 T-AUTHZ-1 ${count} hostile inputs: refused, or understood exactly as meant`, async () => {
  const figures = await fuzz({ port: oracle.port, seed: 20_261_126, count })
  expect(figures.disagreements).toEqual([])
  expect(figures.accepted).toBeGreaterThan(count / 5)
  expect(figures.refused).toBeGreaterThan(count / 3)
  expect(figures.unfinished).toBeLessThan(count / 20)
})

test('X041 names of other scripts and X038 odd but harmless ones arrive as themselves', async () => {
  const groups = [
    'Łukasz',
    'José',
    '李雷',
    '😀',
    'a;b',
    'a|b',
    '"a"',
    'a\\b',
    '%2C',
    '%0d%0a',
    'ABC',
  ]
  expect(await tryIdentity(agent, { oid, sid, groups })).toBe('accepted')
})

test('X036 500 groups of 90 bytes arrive', async () => {
  const groups = Array.from({ length: 500 }, (_, index) => `${index}`.padStart(90, 'g'))
  expect(await tryIdentity(agent, { oid, sid, groups })).toBe('accepted')
})

// The judge is worth something only when it notices: identities the guard would never make, sent by the real client.
test.each([
  ['a reserved group', ['developers'], { groups: ['system:masters'] }],
  ['a space that Go trims', ['developers '], { groups: ['developers '] }],
  ['a group that came twice', ['a'], { groups: ['a', 'a'] }],
  ['another user', [], { user: 'system:admin' }],
])('the judge notices %s', async (_, groups, change) => {
  const forged = { ...guard({ oid, sid }), ...change } as Identity
  const verdict = await trySending(agent, forged, { oid, sid, groups })
  expect(verdict).toMatchObject({ wrong: expect.any(String) as string })
})

test('the judge notices what arrives besides', () => {
  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  const understood: Understood = {
    user: base64(oid),
    uid: '',
    groups: ['a', 'system:authenticated'].map(base64),
    extra: { 'sallyport.dev/sid': [base64(sid)] },
    leaked: [],
    method: 'GET',
    target: '/api',
  }
  const meant = { oid, sid, groups: ['a'] }
  expect(disagreement(meant, understood)).toBeUndefined()
  const changes: Partial<Understood>[] = [
    { uid: base64('1') },
    { leaked: ['Cookie'] },
    { extra: {} },
    { groups: ['a', 'b', 'system:authenticated'].map(base64) },
    { groups: ['system:authenticated'].map(base64) },
    { groups: ['a'].map(base64) },
  ]
  for (const change of changes)
    expect(disagreement(meant, { ...understood, ...change })).toBeTypeOf('string')
  expect(disagreement({ ...meant, oid: [oid] }, understood)).toBeTypeOf('string')
})
