/**
 * From a waiting sender to its answer: limits, single use, expiry, rejection, faults, draining.
 * @module
 */
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { limits, type AcceptMessage } from '@sallyport/protocol'
import { readAnswer, sendHandshake, upgrade, type RawAnswer } from './raw-client.ts'
import { entity, startRelay, type RelayRig } from './relay-rig.ts'

let rig: RelayRig
let now: number

beforeEach(async () => {
  now = Date.now()
  rig = await startRelay({ now: () => now })
})

afterEach(async () => {
  vi.useRealTimers()
  await rig.close()
})

const target = (action: string, more = '', path: string = entity): string =>
  `/$hc/${path}?sb-hc-action=${action}${more}`

function ask(action: string, token: string | undefined, path: string = entity): Promise<RawAnswer> {
  return upgrade({
    port: rig.port,
    target: target(action, '', path),
    headers: token === undefined ? {} : { ServiceBusAuthorization: token },
  })
}

/** A listener that shows what it is told. */
async function listen(path: string = entity): Promise<{
  socket: WebSocket
  accept: () => Promise<AcceptMessage['accept']>
}> {
  const socket = new WebSocket(`${rig.origin}${target('listen', '', path)}`, {
    headers: { ServiceBusAuthorization: rig.token('listen', path) },
  })
  const messages: AcceptMessage['accept'][] = []
  socket.on('message', (data: Buffer) => {
    messages.push((JSON.parse(data.toString()) as AcceptMessage).accept)
    socket.emit('announced')
  })
  socket.on('error', () => undefined)
  await once(socket, 'open')
  return {
    socket,
    accept: async () => {
      if (messages.length === 0) await once(socket, 'announced')
      return messages.shift() as AcceptMessage['accept']
    },
  }
}

const send = (path: string = entity, more = ''): ReturnType<typeof sendHandshake> =>
  sendHandshake({
    port: rig.port,
    target: target('connect', more, path),
    headers: { ServiceBusAuthorization: rig.token('send', path) },
  })

const acceptTarget = (address: string, more = ''): string =>
  `${address.slice(rig.origin.length)}${more}`

describe('listening', () => {
  test('25 listeners of a path, the 26th is 409, and the choice among them is by chance', async () => {
    let random = 0
    await rig.close()
    rig = await startRelay({ random: () => random })
    const all = []
    for (let index = 0; index < 25; index++) all.push(await listen())
    expect((await ask('listen', rig.token('listen'))).status).toBe(409)
    expect(rig.relay.stats()).toMatchObject({ listeners: 25, entities: 1 })
    for (const [chance, index] of [
      [0.999, 24],
      [0, 0],
      [0.5, 12],
    ] as const) {
      random = chance
      send()
      expect((await all[index]!.accept()).id).toBeTruthy()
    }
    all[3]!.socket.terminate()
    await rig.event('listener-closed')
    const again = await ask('listen', rig.token('listen'))
    expect(again.status).toBe(101)
  })

  test('more entities than the limit are 503 with Retry-After', async () => {
    const { Entities } = await import('../../src/relay/entities.ts')
    const entities = new Entities<object>()
    for (let index = 0; index < limits.relayEntities; index++) entities.add(`e${index}`, {})
    expect(() => {
      entities.checkRoom('one-more')
    }).toThrow(expect.objectContaining({ code: 'ERR_RELAY_BUSY', retryAfterSeconds: 30 }))
    entities.checkRoom('E5')
  })
})

describe('waiting for a listener', () => {
  test('no listener is 404, also when one serves a longer or similar path', async () => {
    await listen(`${entity}/deeper`)
    expect((await ask('connect', rig.token('send'))).status).toBe(404)
    const similar = `${entity}x`
    expect((await ask('connect', rig.token('send', similar), similar)).status).toBe(404)
  })

  test('the listener with the longest prefix of the path gets the sender, in any case of letters', async () => {
    const short = await listen('a')
    const long = await listen('a/b')
    send('A/B/c%20d', '&x=1')
    const { address, connectHeaders, remoteEndpoint } = await long.accept()
    expect(address).toMatch(/\/\$hc\/A\/B\/c%20d\?x=1&sb-hc-action=accept&sb-hc-id=[\w-]{43}$/)
    expect(Object.keys(connectHeaders).map((name) => name.toLowerCase())).not.toContain(
      'servicebusauthorization',
    )
    expect(remoteEndpoint?.address).toBe('127.0.0.1')
    send('a/x')
    expect((await short.accept()).address).toContain('/$hc/a/x?')
  })

  test('an address works once', async () => {
    const listener = await listen()
    const sender = send()
    const { address } = await listener.accept()
    const answers = [readAnswer(sender), upgrade({ port: rig.port, target: acceptTarget(address) })]
    for (const answer of await Promise.all(answers)) expect(answer.status).toBe(101)
    const again = await upgrade({ port: rig.port, target: acceptTarget(address) })
    expect(again.status).toBe(403)
    const guess = address.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))
    expect((await upgrade({ port: rig.port, target: acceptTarget(guess) })).status).toBe(403)
  })

  test('an address works for 30 s, then the sender has got 504', async () => {
    const listener = await listen()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const early = send()
    const { address } = await listener.accept()
    now += 29_999
    const taken = await upgrade({ port: rig.port, target: acceptTarget(address) })
    expect([taken.status, (await readAnswer(early)).status]).toEqual([101, 101])
    const late = send()
    const second = await listener.accept()
    now += limits.relayRendezvousAddressTtlMs
    const refused = await upgrade({ port: rig.port, target: acceptTarget(second.address) })
    expect(refused.status).toBe(403)
    vi.advanceTimersByTime(limits.relayRendezvousAddressTtlMs)
    expect((await readAnswer(late)).status).toBe(504)
    expect(rig.relay.stats().waiting).toBe(0)
  })

  test.each([
    ['sb-hc-statusCode=503&sb-hc-statusDescription=too%20busy', 503, 'too busy'],
    ['statusCode=401&statusDescription=who', 401, 'who'],
    ['sb-hc-statusCode=200', 502, 'Bad Gateway'],
    ['sb-hc-statusCode=404&sb-hc-statusDescription=a%0d%0aX-Evil:%201', 404, 'a??X-Evil: 1'],
  ])('a rejection with %s', async (query, status, reason) => {
    const listener = await listen()
    const sender = send(entity, '&statusCode=418')
    const { address } = await listener.accept()
    const own = await upgrade({ port: rig.port, target: acceptTarget(address, `&${query}`) })
    expect(own.status).toBe(410)
    const answer = await readAnswer(sender)
    expect([answer.status, answer.reason.split('; TrackingId:')[0]]).toEqual([status, reason])
    expect(answer.headers.has('x-evil')).toBe(false)
    expect(await rig.event('rendezvous-rejected')).toMatchObject({ status })
  })

  test('a parameter of the sender is not a rejection', async () => {
    const listener = await listen()
    const sender = send(entity, '&statusCode=500')
    const { address } = await listener.accept()
    const own = await upgrade({ port: rig.port, target: acceptTarget(address) })
    expect([own.status, (await readAnswer(sender)).status]).toEqual([101, 101])
  })

  test('a sender that leaves frees its place at once, and its address is dead', async () => {
    const listener = await listen()
    const sender = send()
    const { address } = await listener.accept()
    expect(rig.relay.stats().waiting).toBe(1)
    sender.destroy()
    await rig.event('rendezvous-abandoned')
    expect(rig.relay.stats().waiting).toBe(0)
    const refused = await upgrade({ port: rig.port, target: acceptTarget(address) })
    expect(refused.status).toBe(403)
  })

  test('a listener that dies hands its senders to another one; the last one leaves them 404', async () => {
    const first = await listen()
    const sender = send()
    const old = await first.accept()
    const second = await listen()
    first.socket.terminate()
    const moved = await second.accept()
    expect(moved.id).toBe(old.id)
    const stale = await upgrade({ port: rig.port, target: acceptTarget(old.address) })
    expect(stale.status).toBe(403)
    second.socket.terminate()
    expect((await readAnswer(sender)).status).toBe(404)
    expect(rig.relay.stats()).toMatchObject({ waiting: 0, listeners: 0, entities: 0 })
  })

  test('headers that do not fit into a control message are 400', async () => {
    await listen()
    const answer = await upgrade({
      port: rig.port,
      target: target('connect', `&q=${'x'.repeat(9000)}`),
      headers: { ServiceBusAuthorization: rig.token('send') },
    })
    expect(answer.status).toBe(400)
    expect(rig.relay.stats().waiting).toBe(0)
  })
})

describe('draining', () => {
  test('nothing new is taken, listeners are sent away, who waits is still served', async () => {
    const listener = await listen()
    const sender = send()
    const { address } = await listener.accept()
    rig.relay.drain()
    const [code] = (await once(listener.socket, 'close')) as [number]
    expect(code).toBe(1001)
    for (const action of ['listen', 'connect'] as const) {
      const answer = await ask(action, rig.token(action === 'listen' ? 'listen' : 'send'))
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1'])
    }
    const taken = await upgrade({ port: rig.port, target: acceptTarget(address) })
    expect([taken.status, (await readAnswer(sender)).status]).toEqual([101, 101])
  })

  test('close answers who waits, closes what is open and resolves, twice too', async () => {
    const listener = await listen()
    const sender = send()
    await listener.accept()
    const closed = rig.relay.close()
    expect((await readAnswer(sender)).status).toBe(503)
    await closed
    await rig.relay.close()
    expect(rig.relay.stats()).toMatchObject({ listeners: 0, waiting: 0, rendezvous: 0 })
  })
})
