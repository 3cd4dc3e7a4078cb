/**
 * Dialling: trust, proxies, and errors that name the hop.
 * @module
 */
import { once } from 'node:events'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { isSallyportError, type SallyportError } from '@sallyport/protocol'
import { startRelay, type RelayRig } from '../../../hub/test/relay/relay-rig.ts'
import { dialSocket, type DialOptions } from '../../src/rendezvous/dial-socket.ts'
import { startProxy } from './http-proxy.ts'

const cleanUps: (() => Promise<unknown>)[] = []

afterEach(async () => {
  delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

async function rigOf(tls: boolean): Promise<RelayRig> {
  const rig = await startRelay({ tls })
  cleanUps.push(() => rig.close())
  return rig
}

async function proxyOf(options: Parameters<typeof startProxy>[0]) {
  const proxy = await startProxy(options)
  cleanUps.push(() => proxy.close())
  return proxy
}

async function serve(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanUps.push(() => new Promise((resolve) => server.close(resolve)))
  return (server.address() as AddressInfo).port
}

async function failure(url: string, options: Partial<DialOptions> = {}): Promise<SallyportError> {
  const error: unknown = await dialSocket(new URL(url), {
    signal: AbortSignal.timeout(10_000),
    ...options,
  }).then(
    (socket) => {
      socket.destroy()
      return undefined
    },
    (reason: unknown) => reason,
  )
  if (!isSallyportError(error)) throw new Error('expected a SallyportError', { cause: error })
  return error
}

/** A port where nobody listens. */
async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

describe('TLS', () => {
  test('a certificate of the given CA is trusted, and no others', async () => {
    const rig = await rigOf(true)
    const socket = await dialSocket(new URL(rig.origin), {
      ca: rig.ca!,
      signal: AbortSignal.timeout(5000),
    })
    expect(socket.allowHalfOpen).toBe(true)
    socket.destroy()
    const other = await rigOf(true)
    for (const options of [{}, { ca: other.ca! }]) {
      const error = await failure(rig.origin, options)
      expect([error.code, error.message]).toEqual([
        'ERR_HUB_UNTRUSTED',
        `the certificate of the relay at ${rig.host} is not trusted`,
      ])
      expect(error.why).toMatch(/UNABLE_TO|SELF_SIGNED|SIGNATURE/)
    }
  })

  test('a certificate for another name is not trusted', async () => {
    const rig = await rigOf(true)
    const error = await failure(`wss://localhost:${rig.port}`, { ca: rig.ca! })
    expect([error.code, error.why]).toEqual(['ERR_HUB_UNTRUSTED', 'ERR_TLS_CERT_ALTNAME_INVALID'])
  })

  test('T-TLS-3 NODE_TLS_REJECT_UNAUTHORIZED in the environment is refused', async () => {
    const rig = await rigOf(true)
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
    const error = await failure(rig.origin, { ca: rig.ca! })
    expect(error.code).toBe('ERR_CONFIG_INVALID')
  })

  test('a server without TLS is unreachable, with the reason', async () => {
    const rig = await rigOf(false)
    const error = await failure(`wss://${rig.host}`)
    expect([error.code, error.why]).toEqual([
      'ERR_RELAY_UNREACHABLE',
      expect.stringMatching(/ERR_SSL|EPROTO|ECONNRESET|closed/),
    ])
  })
})

describe('errors name the hop', () => {
  test('a refused connection', async () => {
    const port = await freePort()
    const error = await failure(`ws://127.0.0.1:${port}`)
    expect([error.code, error.message, error.why]).toEqual([
      'ERR_RELAY_UNREACHABLE',
      `cannot reach the relay at 127.0.0.1:${port}`,
      'ECONNREFUSED',
    ])
  })

  test('an unknown name', async () => {
    const error = await failure('ws://no-such-host.invalid')
    expect([error.code, error.why]).toEqual([
      'ERR_RELAY_UNREACHABLE',
      expect.stringMatching(/ENOTFOUND|EAI_AGAIN/),
    ])
  })

  test('a silent server is a timeout of the step that is waited for', async () => {
    const port = await serve(
      createServer((socket) => cleanUps.push(() => Promise.resolve(socket.destroy()))),
    )
    const error = await failure(`wss://127.0.0.1:${port}`, { timeoutMs: 50 })
    expect([error.code, error.message, error.why]).toEqual([
      'ERR_TIMEOUT',
      `the relay at 127.0.0.1:${port} did not answer within 0.05 s`,
      'waited for the TLS handshake',
    ])
  })

  test('an abort ends the dial', async () => {
    const abort = new AbortController()
    const port = await serve(
      createServer((socket) => {
        cleanUps.push(() => Promise.resolve(socket.destroy()))
        abort.abort()
      }),
    )
    expect((await failure(`wss://127.0.0.1:${port}`, { signal: abort.signal })).code).toBe(
      'ERR_INTERRUPTED',
    )
  })
})

describe('HTTP proxy', () => {
  test('TLS goes through CONNECT with basic authentication', async () => {
    const rig = await rigOf(true)
    const proxy = await proxyOf({ credentials: 'us er:p@ss' })
    const url = `http://us%20er:p%40ss@127.0.0.1:${proxy.port}`
    const socket = await dialSocket(new URL(rig.origin), {
      ca: rig.ca!,
      proxy: { url, noProxy: [] },
      signal: AbortSignal.timeout(5000),
    })
    expect(proxy.seen).toEqual([`${rig.host} us er:p@ss`])
    expect(socket.remotePort).toBe(proxy.port)
    socket.destroy()
  })

  test('NO_PROXY passes it by', async () => {
    const rig = await rigOf(false)
    const proxy = await proxyOf({})
    const socket = await dialSocket(new URL(rig.origin), {
      proxy: { url: `http://127.0.0.1:${proxy.port}`, noProxy: ['127.0.0.0/8'] },
      signal: AbortSignal.timeout(5000),
    })
    expect([proxy.seen, socket.remotePort]).toEqual([[], rig.port])
    socket.destroy()
  })

  test.each([
    [{ credentials: 'a:b' }, 'status 407, it wants other credentials'],
    [{ refuse: 403 }, 'status 403'],
  ])('a refusal of the proxy is clear and shows no password: %j', async (options, why) => {
    const proxy = await proxyOf(options)
    const url = `http://user:secret@127.0.0.1:${proxy.port}`
    const error = await failure('wss://relay.example', { proxy: { url, noProxy: [] } })
    expect([error.code, error.message, error.why]).toEqual([
      'ERR_RELAY_UNREACHABLE',
      `the proxy at 127.0.0.1:${proxy.port} refused to connect to relay.example:443`,
      why,
    ])
    expect(JSON.stringify([error.message, error.why, error.remedy])).not.toContain('secret')
  })

  test('a proxy that is not there', async () => {
    const port = await freePort()
    const error = await failure('wss://relay.example', {
      proxy: { url: `http://127.0.0.1:${port}`, noProxy: [] },
    })
    expect(error.message).toBe(`cannot reach the proxy at 127.0.0.1:${port}`)
  })
})
