/**
 * The loop at the hub: what it believes, what it keeps, what it does when the hub is away.
 * @module
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { SallyportError, clusterAudience, type FeedClaims } from '@sallyport/protocol'
import { FeedLoop } from '../../src/feed/feed-loop.ts'
import { Lease } from '../../src/feed/lease.ts'
import { PinnedKeys, type KeySet } from '../../src/feed/pinned-keys.ts'
import { Revocations } from '../../src/feed/revocations.ts'
import { FeedHub, feedAnswer, feedClaims, keyStatement, type Asked } from '../rig/feed-hub.ts'
import { hash, issuer, makeHubKey } from '../rig/hub-key.ts'

const key = makeHubKey('hub-1')
const second = makeHubKey('hub-2')
const third = makeHubKey('hub-3')

let hub: FeedHub
let keys: PinnedKeys
let revocations: Revocations
let lease: Lease
let loop: FeedLoop
let clock: number
let news: FeedClaims[]
let failures: SallyportError[]
let saved: KeySet[]
let order: string[]

beforeEach(async () => {
  hub = new FeedHub()
  clock = 1_000
  news = []
  failures = []
  saved = []
  order = []
  keys = await PinnedKeys.load([key.pinned])
  revocations = new Revocations(() => clock)
  const apply = revocations.apply.bind(revocations)
  revocations.apply = (claims) => {
    apply(claims)
    order.push('revocations')
  }
  lease = new Lease({
    now: () => clock,
    wallNow: Date.now,
    rideOutMs: 0,
    hubOffsetMs: () => undefined,
    onLost: () => undefined,
    onCut: () => undefined,
  })
  const grant = lease.grant.bind(lease)
  lease.grant = (...args) => {
    grant(...args)
    order.push('lease')
  }
  loop = new FeedLoop({
    ask: hub.ask,
    instance: 'instance-1',
    issuer,
    audience: clusterAudience(hash),
    keys,
    revocations,
    lease,
    now: () => clock,
    saveKeys: (set) => {
      saved.push(set)
      return Promise.resolve()
    },
    onNews: (claims) => {
      order.push('news')
      news.push(claims)
    },
    onFailure: (error) => failures.push(error),
    random: () => 0,
  })
  loop.start()
})
afterEach(async () => {
  await loop.close()
  lease.close()
})

async function answerNext(change: Partial<FeedClaims> = {}): Promise<Asked> {
  const asked = await hub.next()
  asked.answer(feedAnswer(key, feedClaims(asked.request, change)))
  return asked
}

test('asks for everything first, then from where it is; every nonce is new', async () => {
  const first = await answerNext({ seq: 7, assignments: 'v3' })
  expect(first.request).toEqual({
    instance: 'instance-1',
    nonce: first.request.nonce,
    keyIds: ['hub-1'],
  })
  const next = await hub.next()
  expect(next.request).toMatchObject({ after: 7, assignments: 'v3', disabledFeatures: [] })
  expect(next.request.nonce).not.toBe(first.request.nonce)
  expect(lease.valid).toBe(true)
})

test('T-REV-2 missed revocations are applied before the lease is renewed and before anybody is told', async () => {
  await answerNext({ seq: 1 })
  const asked = await hub.next()
  order.length = 0
  const told = [{ seq: 2, kind: 'principal' as const, target: 'p' }]
  asked.answer(feedAnswer(key, feedClaims(asked.request, { seq: 2, revocations: told })))
  await hub.next()
  expect(order).toEqual(['revocations', 'lease', 'news'])
  expect(revocations.covers({ oid: 'p', sid: 's', rev: 1 })).toBe(true)
  expect(revocations.covers({ oid: 'p', sid: 's', rev: 2 })).toBe(false)
})

test('the lease counts from the moment the request was sent', async () => {
  const asked = await hub.next()
  clock += 40_000
  asked.answer(feedAnswer(key, feedClaims(asked.request, { leaseMs: 60_000 })))
  await hub.next()
  clock += 19_999
  expect(lease.valid).toBe(true)
  clock += 1
  expect(lease.valid).toBe(false)
  expect(lease.refusal().message).toMatch(/has not heard from the hub for 20 s .*lease of 60 s/)
})

test('asks on with a lease that is no multiple of three seconds', async () => {
  await answerNext({ seq: 1, leaseMs: 5_000 })
  const next = await hub.next()
  expect(next.request).toMatchObject({ after: 1 })
  expect(failures).toEqual([])
})

describe('X098 is not believed, and renews no lease:', () => {
  const foreign = makeHubKey('hub-1')
  test.each<[string, (asked: Asked) => void]>([
    [
      'a forged signature',
      ({ request, answer }) => {
        answer(feedAnswer(foreign, feedClaims(request)))
      },
    ],
    [
      'another algorithm',
      ({ request, answer }) => {
        answer(feedAnswer(key, feedClaims(request), { header: { alg: 'none' } }))
      },
    ],
    [
      'a cluster token as statement',
      ({ request, answer }) => {
        answer(feedAnswer(key, feedClaims(request), { header: { typ: 'sallyport-cluster+jwt' } }))
      },
    ],
    [
      'a key that is not pinned',
      ({ request, answer }) => {
        answer(feedAnswer(second, feedClaims(request)))
      },
    ],
    [
      'a header with more members',
      ({ request, answer }) => {
        answer(feedAnswer(key, feedClaims(request), { header: { jwk: foreign.pinned } }))
      },
    ],
    [
      'an answer to another request',
      ({ request, answer }) => {
        answer(feedAnswer(key, feedClaims(request, { nonce: 'x'.repeat(22) })))
      },
    ],
    [
      'a statement for another cluster',
      ({ request, answer }) => {
        answer(feedAnswer(key, feedClaims(request, { aud: clusterAudience('0'.repeat(64)) })))
      },
    ],
    [
      'another issuer',
      ({ request, answer }) => {
        answer(feedAnswer(key, feedClaims(request, { iss: 'urn:other' })))
      },
    ],
    [
      'a lower number',
      ({ request, answer }) => {
        answer(feedAnswer(key, feedClaims(request, { seq: 2 })))
      },
    ],
    [
      'a gap',
      ({ request, answer }) => {
        const revocations = [{ seq: 5, kind: 'all' as const, target: '' }]
        answer(feedAnswer(key, feedClaims(request, { seq: 5, revocations })))
      },
    ],
    [
      'the wrong order',
      ({ request, answer }) => {
        const one = { seq: 5, kind: 'all' as const, target: '' }
        const revocations = [one, { ...one, seq: 4 }]
        answer(feedAnswer(key, feedClaims(request, { seq: 5, revocations })))
      },
    ],
    [
      'a number with nothing behind it',
      ({ request, answer }) => {
        answer(feedAnswer(key, feedClaims(request, { seq: 9 })))
      },
    ],
    [
      'a repeated member',
      ({ request, answer }) => {
        const text = JSON.stringify(feedClaims(request))
        answer(feedAnswer(key, `${text.slice(0, -1)},"leaseMs":9999999}`))
      },
    ],
  ])('%s', async (_what, spoil) => {
    await answerNext({ seq: 3 })
    const asked = await hub.next()
    const granted = order.filter((step) => step === 'lease').length
    spoil(asked)
    const after = await hub.next()
    expect(failures).toHaveLength(1)
    expect(failures[0]?.code).toBe('ERR_HUB_UNTRUSTED')
    expect(order.filter((step) => step === 'lease')).toHaveLength(granted)
    expect(revocations.seq).toBe(3)
    // The gap is asked for again.
    expect(after.request.after).toBe(3)
  })
})

describe('keys', () => {
  test('are followed from one to the next, all of a long absence at once, and kept', async () => {
    const asked = await hub.next()
    const keyStatements = [
      keyStatement(key, [key, second]),
      keyStatement(second, [second]),
      keyStatement(second, [second, third]),
    ]
    asked.answer(feedAnswer(third, feedClaims(asked.request), { keyStatements }))
    const { request } = await hub.next()
    expect(request.keyIds).toEqual(['hub-2', 'hub-3'])
    expect(saved.map((set) => set.jwks)).toEqual([[second.pinned, third.pinned]])
    expect(keys.get('hub-1')).toBeUndefined()
  })

  test.each<[string, () => string]>([
    ['signed by a stranger', () => keyStatement({ ...makeHubKey(), kid: 'hub-1' }, [second])],
    ['of another issuer', () => keyStatement(key, [second], { iss: 'urn:other' })],
    ['with a key that is none', () => keyStatement(key, [], { keys: [{ kid: 'x', kty: 'RSA' }] })],
  ])('a statement %s is refused and nothing is pinned', async (_what, make) => {
    const asked = await hub.next()
    asked.answer(feedAnswer(second, feedClaims(asked.request), { keyStatements: [make()] }))
    const { request } = await hub.next()
    expect(request.keyIds).toEqual(['hub-1'])
    expect(failures.map(({ code }) => code)).toEqual(['ERR_HUB_UNTRUSTED'])
    expect(lease.valid).toBe(false)
  })

  test('X085 a retired key leads nowhere any more: neither its statements nor an older set come back', async () => {
    const first = await hub.next()
    const retired = keyStatement(key, [second])
    first.answer(feedAnswer(second, feedClaims(first.request), { keyStatements: [retired] }))
    const asked = await hub.next()
    const old = { iat: 1_000 }
    const keyStatements = [keyStatement(key, [key, third]), keyStatement(second, [third], old)]
    asked.answer(feedAnswer(third, feedClaims(asked.request), { keyStatements }))
    const { request } = await hub.next()
    expect(request.keyIds).toEqual(['hub-2'])
    expect(failures).toHaveLength(1)
  })
})

test('an agent the hub does not know lets nobody in from that moment', async () => {
  await answerNext()
  const asked = await hub.next()
  expect(lease.valid).toBe(true)
  asked.fail(new SallyportError('ERR_AGENT_UNKNOWN', 'this is not an agent of this hub'))
  await hub.next()
  expect(lease.valid).toBe(false)
  expect(lease.refusal().message).toMatch(/the hub refuses it/)
})

test('X161 an assertion outside its time does not end the lease: the clock of the hub is learnt', async () => {
  await answerNext()
  const asked = await hub.next()
  asked.fail(new SallyportError('ERR_AGENT_UNKNOWN', 'unknown', { why: 'outside its time' }))
  await hub.next()
  expect(lease.valid).toBe(true)
})

test('X152 a restored hub counts from an earlier number: every older token is over', async () => {
  await answerNext({ seq: 9 })
  await answerNext({ seq: 3, reset: true })
  const { request } = await hub.next()
  expect(request.after).toBe(3)
  expect(revocations.covers({ oid: 'p', sid: 's', rev: 2 })).toBe(true)
})
