/**
 * An agent that ends a link and says why, over real TLS.
 * @module
 */
import { SallyportError } from '@sallyport/protocol'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { BindDecision, BindPeer, ClientSession } from '../../src/index.ts'
import { farewellBytesOf, readFarewell } from '../../src/link/farewell.ts'
import { closePair, inSeconds, linkPair, makeIdentities, type Identities } from './link-pair.ts'
import { World } from './session-world.ts'

let ids: Identities
beforeAll(async () => {
  ids = await makeIdentities()
})

const { signal } = new AbortController()
const stale = new SallyportError('ERR_SESSION_STALE', 'the rights of the session have changed')

it('the client hears why, and its streams break at once', async () => {
  const peers: BindPeer[] = []
  const bind: BindDecision = (_request, peer) => {
    peers.push(peer)
    return Promise.resolve({
      sessionId: 's',
      expiresAt: inSeconds(300),
      onStream: ({ stream }) => {
        stream.on('error', () => undefined)
        stream.pipe(stream)
      },
    })
  }
  const pair = await linkPair(ids, { agent: { bind } })
  const stream = pair.client.openStream()
  const broken = new Promise<Error>((resolve) => stream.once('error', resolve))
  stream.write(Buffer.from('hello'))
  await new Promise((resolve) => stream.once('data', resolve))
  const since = performance.now()
  peers[0]?.dismiss(stale)
  await broken
  expect(performance.now() - since).toBeLessThan(1_000)
  expect(await pair.client.closed).toMatchObject({
    error: { code: 'ERR_SESSION_STALE', message: stale.message },
  })
  await closePair(pair)
})

it.each([
  undefined,
  Buffer.alloc(0),
  Buffer.from('no'),
  Buffer.from('{"code":1}'),
  Buffer.alloc(9_999, 0x20),
])('debug data that is not ours says nothing', (data) => {
  expect(readFarewell(data)).toBeUndefined()
})

it('a code of a later version is a lost link', () => {
  const data = Buffer.from(
    farewellBytesOf(stale).toString().replace('ERR_SESSION_STALE', 'ERR_NEW'),
  )
  expect(readFarewell(data)).toMatchObject({ code: 'ERR_LINK_LOST', message: stale.message })
})

describe('a session', () => {
  let world: World
  let session: ClientSession
  let peers: BindPeer[]
  beforeEach(() => {
    world = new World(ids)
    peers = []
    world.onPeer = (peer) => peers.push(peer)
    session = world.session({ random: () => 0.999 })
  })
  afterEach(async () => {
    await session.close()
    await Promise.all(world.links.map((link) => link.closed))
  })

  it('whose rights changed fetches a new token without hesitation, once', async () => {
    await session.start(signal)
    const since = performance.now()
    peers[0]?.dismiss(stale)
    await expect.poll(() => peers.length, { interval: 5 }).toBe(2)
    const ms = performance.now() - since
    expect(ms).toBeLessThan(400)
    expect(world.states.at(-2)).toMatchObject({
      state: 'reconnecting',
      error: { code: 'ERR_SESSION_STALE' },
      retryInMs: 0,
    })
    expect(world.askedFor).toEqual([undefined, world.sessionId])
    await expect.poll(() => world.lastStates.at(-1)).toBe('connected')
    peers[1]?.dismiss(stale)
    await expect.poll(() => world.lastStates.at(-1)).toBe('reconnecting')
    const last = world.states.at(-1)
    expect(last?.state === 'reconnecting' ? last.retryInMs : 0).toBeGreaterThan(0)
  })

  it.each(['ERR_AUTH_EXPIRED', 'ERR_FORBIDDEN', 'ERR_SESSION_ENDED'] as const)(
    'whose rights are gone ends with %s of the hub',
    async (code) => {
      await session.start(signal)
      world.onCredential = () => Promise.reject(new SallyportError(code, code))
      peers[0]?.dismiss(stale)
      expect(await session.closed).toMatchObject({ error: { code } })
      await expect(session.openStream(signal)).rejects.toMatchObject({ code })
    },
  )
})
