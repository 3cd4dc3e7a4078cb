/**
 * The listener: reconnecting, renewing, accepting, closing.
 * @module
 */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { WebSocketServer, type WebSocket } from 'ws'
import { limits, SallyportError } from '@sallyport/protocol'
import { startRelay, type RelayRig } from '../../../hub/test/relay/relay-rig.ts'
import { dialRendezvous } from '../../src/rendezvous/dial-rendezvous.ts'
import { connect, startListener, type TestListener } from './rendezvous-rig.ts'

const cleanUps: (() => Promise<unknown>)[] = []

afterEach(async () => {
  vi.useRealTimers()
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

async function rigOf(): Promise<RelayRig> {
  const rig = await startRelay()
  cleanUps.push(() => rig.close())
  return rig
}

async function listenerOf(...args: Parameters<typeof startListener>): Promise<TestListener> {
  const listener = await startListener(...args)
  cleanUps.push(() => listener.listener.close())
  return listener
}

/** A relay that does what the test says. */
async function fakeRelay(
  onChannel: (channel: WebSocket, server: Server) => void,
): Promise<{ url: string; server: Server; channels: () => number }> {
  const server = createServer()
  const sockets = new WebSocketServer({ noServer: true })
  let channels = 0
  server.on('upgrade', (request, socket, head) => {
    if (!(request.url ?? '').includes('sb-hc-action=listen')) return
    sockets.handleUpgrade(request, socket, head, (channel) => {
      channels += 1
      onChannel(channel, server)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanUps.push(async () => {
    for (const client of sockets.clients) client.terminate()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const { port } = server.address() as AddressInfo
  return { url: `ws://127.0.0.1:${port}/$hc/p`, server, channels: () => channels }
}

const expiresIn = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds

test('it comes back after its channel was cut, and what it handed out lives on', async () => {
  const rig = await rigOf()
  const listener = await listenerOf(rig, { random: () => 0 })
  const { sender, taken } = await connect(rig, listener)
  rig.relay.drain()
  const waiting = await listener.state('waiting')
  expect(waiting.error).toMatchObject({ code: 'ERR_RELAY_UNREACHABLE', why: 'close code 1001' })
  expect(waiting.retryInMs).toBe(limits.reconnectMinMs)
  expect(listener.listener.listening).toBe(false)
  sender.stream.end('still here')
  const [chunk] = (await once(taken.stream, 'data')) as [Buffer]
  expect(chunk.toString()).toBe('still here')
  taken.stream.end()
  // The draining relay says when to come again.
  const refused = await listener.state('waiting', 2)
  expect(refused.error).toMatchObject({ code: 'ERR_RELAY_BUSY' })
  expect(refused.retryInMs).toBe(1000)
})

test('it listens again when the relay is back', async () => {
  const relay = await fakeRelay((channel) => {
    if (relay.channels() === 1) channel.terminate()
  })
  const access = () => Promise.resolve({ url: relay.url, token: 't', expiresAt: expiresIn(600) })
  const listener = await listenerOf(await rigOf(), { access, random: () => 0 })
  await listener.state('listening', 2)
  expect(relay.channels()).toBe(2)
  expect(listener.states.map(({ state }) => state)).toEqual([
    'connecting',
    'listening',
    'waiting',
    'connecting',
    'listening',
  ])
})

test('an error of its owner is told and retried like one of the relay', async () => {
  const rig = await rigOf()
  let calls = 0
  const listener = await listenerOf(rig, {
    random: () => 0,
    access: () => {
      calls += 1
      if (calls > 1) return Promise.resolve(rig.access('listen'))
      return Promise.reject(
        new SallyportError('ERR_HUB_UNREACHABLE', 'no hub', { retryAfterSeconds: 1 }),
      )
    },
  })
  expect(await listener.state('waiting')).toMatchObject({
    error: { code: 'ERR_HUB_UNREACHABLE' },
    retryInMs: 1000,
  })
  expect(listener.listener.listening).toBe(true)
})

test('the token is renewed before it expires, and the channel stays', async () => {
  const rig = await rigOf()
  let issued = 0
  const listener = await listenerOf(rig, {
    access: () => {
      issued += 1
      return Promise.resolve(rig.access('listen', undefined, 2))
    },
  })
  await rig.event('listener-renewed')
  expect(issued).toBe(2)
  expect(rig.relay.stats().listeners).toBe(1)
  expect(listener.states).toHaveLength(2)
})

test('a failed renewal is tried again', async () => {
  const rig = await rigOf()
  let issued = 0
  await listenerOf(rig, {
    access: () => {
      issued += 1
      return issued === 2
        ? Promise.reject(new Error('hub is away'))
        : Promise.resolve(rig.access('listen', undefined, 4))
    },
  })
  await rig.event('listener-renewed')
  expect(issued).toBe(3)
})

test('a relay that goes silent is left after 40 s', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
  const relay = await fakeRelay((channel) => {
    channel.pause()
  })
  const access = () => Promise.resolve({ url: relay.url, token: 't', expiresAt: expiresIn(600) })
  const listener = await listenerOf(await rigOf(), { access })
  vi.advanceTimersByTime(4 * limits.relayPingIntervalMs)
  const { error } = await listener.state('waiting')
  expect([error.code, error.why]).toEqual(['ERR_TIMEOUT', 'waited for a ping or pong'])
})

describe('accepting', () => {
  test('many senders at once are all taken', async () => {
    const rig = await rigOf()
    const listener = await listenerOf(rig)
    const all = await Promise.all(
      Array.from({ length: 50 }, async () => {
        const pair = await connect(rig, listener)
        pair.sender.stream.destroy()
        pair.taken.stream.destroy()
        return pair.sender.id
      }),
    )
    expect(new Set(all).size).toBe(50)
    await vi.waitFor(() => {
      expect(rig.relay.stats()).toMatchObject({ rendezvous: 0, waiting: 0 })
    })
  })

  test('an address that cannot be dialled is told, and the channel stays', async () => {
    const errors: [string, string][] = []
    const relay = await fakeRelay((channel) => {
      for (const address of ['ws://127.0.0.1:1/$hc/p', 'gopher://x', 'ws://127.0.0.1:1/']) {
        const accept = { address, id: address, connectHeaders: {} }
        channel.send(JSON.stringify({ accept }))
      }
    })
    const listener = await listenerOf(await rigOf(), {
      access: () => Promise.resolve({ url: relay.url, token: 't', expiresAt: expiresIn(600) }),
      onAcceptError: (error, id) => errors.push([id, error.code]),
    })
    await vi.waitFor(() => {
      expect(errors).toHaveLength(3)
    })
    expect(Object.fromEntries(errors)).toMatchObject({
      'ws://127.0.0.1:1/$hc/p': 'ERR_RELAY_UNREACHABLE',
      'gopher://x': 'ERR_RELAY_PROTOCOL',
    })
    expect(listener.listener.listening).toBe(true)
  })

  test.each(['not JSON', '{"accept":{"address":1}}', `{"accept":${'['.repeat(1000)}`])(
    'a broken control message ends the channel: %s',
    async (text) => {
      const relay = await fakeRelay((channel) => {
        channel.on('close', (code) => channel.emit('seen', code))
        channel.send(text)
      })
      const listener = await listenerOf(await rigOf(), {
        wait: false,
        access: () => Promise.resolve({ url: relay.url, token: 't', expiresAt: expiresIn(600) }),
      })
      const { error } = await listener.state('waiting')
      expect([error.code, error.why]).toEqual(['ERR_RELAY_UNREACHABLE', 'close code 1003'])
    },
  )

  test('with TLS on the control channel an address without is refused', async () => {
    const { acceptRendezvous } = await import('../../src/rendezvous/accept-rendezvous.ts')
    const attempt = acceptRendezvous(
      { address: 'ws://127.0.0.1:1/$hc/p', id: 'x', connectHeaders: {} },
      { dial: {}, modes: ['raw'], isSecure: true, signal: AbortSignal.timeout(1000) },
    )
    await expect(attempt).rejects.toMatchObject({ code: 'ERR_RELAY_PROTOCOL' })
  })

  test('a used address is told from a forbidden path', async () => {
    const rig = await rigOf()
    const { acceptRendezvous } = await import('../../src/rendezvous/accept-rendezvous.ts')
    const address = `${rig.access('listen').url}?sb-hc-action=accept&sb-hc-id=unknown`
    const attempt = acceptRendezvous(
      { address, id: 'x', connectHeaders: {} },
      { dial: {}, modes: ['raw'], isSecure: false, signal: AbortSignal.timeout(5000) },
    )
    await expect(attempt).rejects.toMatchObject({ code: 'ERR_RELAY_RENDEZVOUS_EXPIRED' })
  })
})

describe('close', () => {
  test('it closes the channel with 1000 and settles, also while waiting or never started', async () => {
    const rig = await rigOf()
    const listener = await startListener(rig)
    await listener.listener.close()
    await listener.listener.closed
    expect(await rig.event('listener-closed')).toMatchObject({ closeCode: 1000 })
    expect(listener.states.at(-1)).toEqual({ state: 'closed' })
    const attempt = dialRendezvous(rig.access('send'), { signal: AbortSignal.timeout(5000) })
    await expect(attempt).rejects.toMatchObject({ code: 'ERR_RELAY_NO_LISTENER' })
    const waiting = await startListener(rig, {
      wait: false,
      access: () => Promise.reject(new Error('no')),
    })
    await waiting.state('waiting')
    await waiting.listener.close()
    expect(waiting.states.at(-1)).toEqual({ state: 'closed' })
  })
})
