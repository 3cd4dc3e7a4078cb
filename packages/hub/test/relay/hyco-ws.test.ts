/**
 * Unmodified hyco-ws 1.0.5 on both sides is the referee of the protocol.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import hyco, { type HycoServer, type HycoSocket } from 'hyco-ws'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { hybridConnection } from '@sallyport/protocol'
import { rules, startRelay, type RelayRig } from './relay-rig.ts'

let rig: RelayRig
let server: HycoServer | undefined

beforeEach(async () => {
  rig = await startRelay()
})

afterEach(async () => {
  vi.useRealTimers()
  server?.close()
  server = undefined
  await rig.close()
})

const token = (rule: 'listen' | 'send', seconds = 600): string =>
  hyco.createRelayToken(`${rig.origin}/$hc/hc1`, rule, rules[rule].key, seconds)

const listenUri = (): string => `${rig.origin}/$hc/hc1?sb-hc-action=listen`
const sendUri = (suffix = '', query = ''): string =>
  `${rig.origin}/$hc/hc1${suffix}?${query}sb-hc-action=connect`

async function listen(
  onConnection: (socket: HycoSocket) => void,
  options: Record<string, unknown> = {},
): Promise<HycoServer> {
  server = hyco.createRelayedServer(
    { server: listenUri(), token: () => token('listen'), ...options },
    onConnection,
  )
  await once(server, 'listening')
  return server
}

async function connect(address = sendUri()): Promise<HycoSocket> {
  const socket = hyco.relayedConnect(address, token('send'))
  await once(socket, 'open')
  return socket
}

const echo = (socket: HycoSocket): void => {
  socket.on('message', (data: string | Buffer) => {
    socket.send(data, { binary: typeof data !== 'string' })
  })
}

test('text and binary messages come back as they were', async () => {
  await listen(echo)
  const socket = await connect()
  socket.send('grüße')
  expect((await once(socket, 'message'))[0]).toBe('grüße')
  const bytes = randomBytes(70_000)
  socket.send(bytes, { binary: true })
  expect(bytes.equals((await once(socket, 'message'))[0] as Buffer)).toBe(true)
  socket.send(Buffer.alloc(0), { binary: true })
  expect((await once(socket, 'message'))[0]).toHaveLength(0)
  socket.terminate()
})

test('a message of 10 MiB passes in both directions', async () => {
  await listen(echo)
  const socket = await connect()
  const bytes = randomBytes(10 * 1024 * 1024)
  socket.send(bytes, { binary: true })
  expect(bytes.equals((await once(socket, 'message'))[0] as Buffer)).toBe(true)
  expect(rig.relay.stats().bytesUp).toBeGreaterThan(bytes.length)
  socket.terminate()
})

test('a fragmented message with a ping in between arrives as one', async () => {
  const sizes: number[] = []
  await listen((socket) => {
    socket.on('message', (data: Buffer) => {
      sizes.push(data.length)
      socket.send('done')
    })
  })
  const socket = await connect()
  const part = randomBytes(1000)
  let left = 3
  socket.stream({ binary: true }, (_error, send) => {
    left -= 1
    socket.ping()
    send(part, left === 0)
  })
  await Promise.all([once(socket, 'message'), once(socket, 'pong')])
  expect(sizes).toEqual([3000])
  socket.terminate()
})

test('close codes reach the other side, whoever closes', async () => {
  const codes: number[] = []
  await listen((socket) => {
    socket.on('message', () => {
      socket.close(4001, 'enough')
    })
    socket.on('close', (code: number) => codes.push(code))
  })
  const first = await connect()
  first.close(4000, 'bye')
  const [firstCode] = (await once(first, 'close')) as [number]
  expect(firstCode).toBe(4000)
  const second = await connect()
  second.send('close me')
  const [secondCode, reason] = (await once(second, 'close')) as [number, string]
  expect([secondCode, reason]).toEqual([4001, 'enough'])
  await vi.waitFor(() => {
    expect(codes).toEqual([4000, 4001])
  })
  await vi.waitFor(() => {
    expect(rig.relay.stats().rendezvous).toBe(0)
  })
})

test('a side that vanishes is 1001 for the other', async () => {
  const { promise, resolve } = Promise.withResolvers<number>()
  await listen((socket) => {
    socket.on('close', resolve)
  })
  const socket = await connect()
  await rig.event('rendezvous-open')
  socket.terminate()
  expect(await promise).toBe(1001)
})

test('the token may ride in the query, the offered compression is not taken, suffix and query are passed', async () => {
  const { promise, resolve } = Promise.withResolvers<string>()
  const listener = await listen(echo)
  listener.controlChannel.on('message', resolve)
  const uri = sendUri('/sub/path', 'a=1&b=%20x&')
  const socket = hyco.relayedConnect(hyco.appendRelayToken(uri, 'send', rules.send.key), null)
  await once(socket, 'open')
  const { accept } = JSON.parse(await promise) as {
    accept: { address: string; connectHeaders: Record<string, string> }
  }
  const [path, query = ''] = accept.address.split('?')
  expect(path).toBe(`${rig.origin}/$hc/hc1/sub/path`)
  expect(query.startsWith('a=1&b=%20x&sb-hc-action=accept&sb-hc-id=')).toBe(true)
  expect(query).not.toContain(hybridConnection.token)
  expect(accept.connectHeaders['Sec-WebSocket-Extensions']).toContain('permessage-deflate')
  socket.send('plain')
  expect((await once(socket, 'message'))[0]).toBe('plain')
  socket.terminate()
})

test('the subprotocol is the one the listener chose', async () => {
  await listen(echo, {
    handleProtocols: (offers: string[], done: (ok: boolean, name?: string) => void) => {
      done(true, offers.at(-1))
    },
  })
  const { WebSocket } = await import('ws')
  const socket = new WebSocket(sendUri(), ['one', 'two'], {
    headers: { ServiceBusAuthorization: token('send') },
  })
  await once(socket, 'open')
  expect(socket.protocol).toBe('two')
  expect(socket.extensions).toBe('')
  socket.terminate()
})

test('a rejection with the unprefixed parameters of this library is the status of the sender', async () => {
  const { promise: announced, resolve } = Promise.withResolvers<string>()
  server = hyco.createRelayedServer({ server: listenUri(), token: token('listen') })
  // The library's own reject uses a class that does not exist; this is what it means to open.
  await once(server, 'listening')
  const control = server.controlChannel as HycoSocket & { onmessage: unknown }
  control.removeAllListeners('message')
  control.on('message', resolve)
  const socket = hyco.relayedConnect(sendUri(), token('send'))
  const failed = once(socket, 'error') as Promise<[Error]>
  const { accept } = JSON.parse(await announced) as { accept: { address: string } }
  const reject = hyco.relayedConnect(
    `${accept.address}&statusCode=418&statusDescription=a%20teapot`,
    null,
  )
  const [rejectError] = (await once(reject, 'error')) as [Error]
  expect(rejectError.message).toContain('410')
  expect((await failed)[0].message).toContain('418')
})

test('the hourly renewal of the token keeps the channel beyond the first expiry', async () => {
  let issued = 0
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] })
  let now = Date.now()
  await rig.close()
  rig = await startRelay({ now: () => now })
  const issue = (): string => {
    issued += 1
    return rig.token('listen', 'hc1', Math.floor(now / 1000) + 4000)
  }
  server = hyco.createRelayedServer({ server: listenUri(), token: issue }, echo)
  await once(server, 'listening')
  for (let hour = 0; hour < 3; hour++) {
    now += 3_600_000
    vi.advanceTimersByTime(3_600_000)
    await vi.waitFor(() => {
      const renewed = rig.events.filter((event) => event.type === 'listener-renewed')
      expect(renewed).toHaveLength(hour + 1)
    })
  }
  expect(issued).toBe(4)
  expect(rig.relay.stats().listeners).toBe(1)
  expect(rig.events.filter((event) => event.type === 'listener-closed')).toEqual([])
})
