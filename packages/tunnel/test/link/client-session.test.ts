/**
 * A session over links that come and go.
 * @module
 */
import { SallyportError, limits, type ErrorCode } from '@sallyport/protocol'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { ClientSession } from '../../src/index.ts'
import { makeIdentities, readAll, type Identities } from './link-pair.ts'
import { World } from './session-world.ts'

let ids: Identities
beforeAll(async () => {
  ids = await makeIdentities()
})

const signal = new AbortController().signal
const fail = (code: ErrorCode): Promise<never> => Promise.reject(new SallyportError(code, code))

let world: World
let session: ClientSession
beforeEach(() => {
  world = new World(ids)
  session = world.session()
})
afterEach(async () => {
  vi.useRealTimers()
  await session.close()
  await Promise.all(world.links.map((link) => link.closed))
})

async function echo(text: string): Promise<string> {
  const stream = await session.openStream(signal)
  stream.end(text)
  return String(await readAll(stream))
}

describe('start', () => {
  it('binds a link and opens streams', async () => {
    await session.start(signal)
    expect(await echo('hello')).toBe('hello')
    expect(world.states).toEqual([
      { state: 'connecting' },
      { state: 'connected', mode: 'raw', sessionId: world.sessionId },
    ])
    expect(world.dialled).toEqual(['a'])
  })

  it('takes the next relay when the first is down', async () => {
    world.onDial = (url) => (url === 'a' ? fail('ERR_RELAY_UNREACHABLE') : Promise.resolve())
    await session.start(signal)
    expect(world.dialled).toEqual(['a', 'b'])
  })

  it.each(['ERR_FORBIDDEN', 'ERR_AUTH_EXPIRED'] as const)(
    'ends at once when the hub says %s',
    async (code) => {
      world.onCredential = () => fail(code)
      await expect(session.start(signal)).rejects.toMatchObject({ code })
      expect(await session.closed).toMatchObject({ error: { code } })
      expect(world.askedFor).toHaveLength(1)
      expect(world.lastStates).toEqual(['connecting', 'closed'])
    },
  )

  it('ends at once when the agent refuses', async () => {
    world.onBind = () => fail('ERR_GUARD_IDENTITY')
    await expect(session.start(signal)).rejects.toMatchObject({ code: 'ERR_GUARD_IDENTITY' })
    expect(world.dialled).toEqual(['a'])
  })

  it('ends at once when the agent key is another', async () => {
    session = world.session({
      checkAgentKey: () => {
        throw new SallyportError('ERR_LINK_AGENT_KEY_CHANGED', 'changed')
      },
    })
    await expect(session.start(signal)).rejects.toMatchObject({
      code: 'ERR_LINK_AGENT_KEY_CHANGED',
    })
    expect(world.dialled).toEqual(['a'])
  })

  it('tries again what may pass', async () => {
    let n = 0
    world.onDial = () => ((n += 1) < 4 ? fail('ERR_RELAY_NO_LISTENER') : Promise.resolve())
    await session.start(signal)
    expect(world.lastStates).toEqual(['connecting', 'reconnecting', 'connected'])
    expect(world.credentials).toBe(2)
  })

  it('gives up in time with the error of the hop that failed', async () => {
    world.onDial = () => fail('ERR_RELAY_NO_LISTENER')
    session = world.session({ random: () => 0.999 })
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const failed = expect(session.start(signal)).rejects.toMatchObject({
      code: 'ERR_RELAY_NO_LISTENER',
    })
    await vi.waitFor(() => {
      expect(world.lastStates).toContain('reconnecting')
    })
    await vi.advanceTimersByTimeAsync(limits.proxyReadyTimeoutMs)
    vi.useRealTimers()
    await failed
  })

  it('names what is missing when nothing ever answered', async () => {
    world.onCredential = () => new Promise(() => undefined)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const failed = expect(session.start(signal)).rejects.toMatchObject({ code: 'ERR_TIMEOUT' })
    await vi.advanceTimersByTimeAsync(limits.proxyReadyTimeoutMs)
    await failed
  })

  it.each(['credential', 'dial', 'bind'] as const)('stops when aborted in %s', async (where) => {
    const stop = new AbortController()
    const hang = () => {
      stop.abort()
      return new Promise<never>(() => undefined)
    }
    if (where === 'credential') world.onCredential = hang
    if (where === 'dial') world.onDial = hang
    if (where === 'bind') world.onBind = hang
    await expect(session.start(stop.signal)).rejects.toMatchObject({ code: 'ERR_INTERRUPTED' })
    expect(await session.closed).toMatchObject({ error: { code: 'ERR_INTERRUPTED' } })
  })

  it('closes a rendezvous that comes after its deadline', async () => {
    const late = Promise.withResolvers<undefined>()
    world.onDial = () => late.promise
    const stop = new AbortController()
    const failed = expect(session.start(stop.signal)).rejects.toBeInstanceOf(SallyportError)
    await expect.poll(() => world.dialled.length).toBe(1)
    stop.abort()
    await failed
    late.resolve(undefined)
    await expect.poll(() => world.links.length).toBe(0)
  })
})

describe('a lost link', () => {
  it('is dialled again with a fresh credential of the same session; ids go on', async () => {
    await session.start(signal)
    expect(await echo('one')).toBe('one')
    world.links[0]!.destroy(new SallyportError('ERR_LINK_LOST', 'gone'))
    await expect.poll(() => world.lastStates.at(-1)).toBe('reconnecting')
    expect(await echo('two')).toBe('two')
    expect(world.askedFor).toEqual([undefined, world.sessionId])
    expect(world.tokens).toEqual(['token-1', 'token-2'])
    expect(world.streamIds).toEqual([1, 2])
    expect(world.lastStates).toEqual(['connecting', 'connected', 'reconnecting', 'connected'])
  })

  it('fails its streams, and only them', async () => {
    await session.start(signal)
    const stream = await session.openStream(signal)
    const failed = new Promise((resolve) => stream.once('error', resolve))
    world.links[0]!.destroy(new SallyportError('ERR_LINK_LOST', 'gone'))
    expect(await failed).toMatchObject({ code: 'ERR_LINK_LOST' })
    expect(await echo('again')).toBe('again')
  })

  it('lets openStream wait, and fail with the reason after dialTimeoutMs', async () => {
    await session.start(signal)
    world.onDial = () => fail('ERR_RELAY_UNREACHABLE')
    world.links[0]!.destroy()
    await expect
      .poll(() => world.states.at(-1))
      .toMatchObject({ error: { code: 'ERR_RELAY_UNREACHABLE' } })
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const failed = expect(session.openStream(signal)).rejects.toMatchObject({
      code: 'ERR_RELAY_UNREACHABLE',
    })
    await vi.advanceTimersByTimeAsync(limits.dialTimeoutMs)
    await failed
  })

  it('ends the session when the hub now refuses', async () => {
    await session.start(signal)
    world.onCredential = () => fail('ERR_FORBIDDEN')
    world.links[0]!.destroy()
    expect(await session.closed).toMatchObject({ error: { code: 'ERR_FORBIDDEN' } })
    await expect(session.openStream(signal)).rejects.toMatchObject({ code: 'ERR_FORBIDDEN' })
  })

  it('waits as long as the hub asks', async () => {
    await session.start(signal)
    world.onCredential = () =>
      Promise.reject(new SallyportError('ERR_RATE_LIMITED', 'slow', { retryAfterSeconds: 7 }))
    world.links[0]!.destroy()
    await expect
      .poll(() => world.states.at(-1))
      .toMatchObject({ state: 'reconnecting', error: { code: 'ERR_RATE_LIMITED' } })
    const last = world.states.at(-1) as { retryInMs: number }
    expect(last.retryInMs).toBeGreaterThanOrEqual(7000)
  })
})

it('moves new streams to another link when the agent drains, and keeps the open ones', async () => {
  await session.start(signal)
  const old = await session.openStream(signal)
  old.write('x')
  await new Promise((resolve) => old.once('data', resolve))
  const drained = world.links[0]!.close()
  await expect.poll(() => world.lastStates.at(-1)).toBe('reconnecting')
  expect(await echo('new')).toBe('new')
  expect(world.links).toHaveLength(2)
  old.end('last words')
  expect(String(await readAll(old))).toBe('last words')
  await drained
})

describe('renewal', () => {
  it('binds a fresh token on the live link before the old one runs out', async () => {
    // Renewed at half of its life, since that is shorter than the usual lead.
    world.lifetimeSeconds = 2
    await session.start(signal)
    await expect.poll(() => world.tokens, { timeout: 5000 }).toEqual(['token-1', 'token-2'])
    expect(world.askedFor).toEqual([undefined, world.sessionId])
    expect(world.dialled).toHaveLength(1)
    expect(world.lastStates).toEqual(['connecting', 'connected'])
  })

  it('ends the session when the agent refuses it for good', async () => {
    world.lifetimeSeconds = 1
    await session.start(signal)
    world.onBind = () => fail('ERR_BIND_REFUSED')
    expect(await session.closed).toMatchObject({ error: { code: 'ERR_BIND_REFUSED' } })
  })
})

describe('close', () => {
  it('is idempotent, before start too', async () => {
    await Promise.all([session.close(), session.close()])
    await session.close()
    expect(world.lastStates).toEqual(['closed'])
    await expect(session.openStream(signal)).rejects.toMatchObject({ code: 'ERR_INTERRUPTED' })
    await expect(session.start(signal)).rejects.toMatchObject({ code: 'ERR_INTERRUPTED' })
  })

  it('ends streams and link, in order for the agent', async () => {
    await session.start(signal)
    const stream = await session.openStream(signal)
    const failed = new Promise((resolve) => stream.once('error', resolve))
    await session.close()
    expect(await failed).toMatchObject({ code: 'ERR_LINK_LOST' })
    expect(await session.closed).toEqual({})
    await world.links[0]!.closed
  })

  it('stops a redial', async () => {
    await session.start(signal)
    world.onDial = () => fail('ERR_RELAY_UNREACHABLE')
    world.links[0]!.destroy()
    await expect.poll(() => world.lastStates.at(-1)).toBe('reconnecting')
    const waiting = expect(session.openStream(signal)).rejects.toMatchObject({
      code: 'ERR_INTERRUPTED',
    })
    await session.close()
    await waiting
    const dials = world.dialled.length
    await new Promise(setImmediate)
    expect(world.dialled).toHaveLength(dials)
  })
})
