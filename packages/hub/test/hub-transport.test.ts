import { connect } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { limits } from '@sallyport/protocol'
import {
  hubHome,
  rawConnection,
  startProgram,
  type HubHome,
  type RunningProgram,
} from './hub-fixture.ts'

let home: HubHome
let hub: RunningProgram
let ca: string
beforeAll(async () => {
  home = hubHome()
  hub = await startProgram('hub', home.flags())
  ca = home.ca()
})
afterAll(async () => {
  await hub.stop()
  home.remove()
})

describe('transport', () => {
  it('offers HTTP/1.1 only and closes on an HTTP/2 preface (T-H2-1)', async () => {
    const { socket, closed } = await rawConnection(hub.url, ca, ['h2', 'http/1.1'])
    expect(socket.alpnProtocol).toBe('http/1.1')
    socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
    expect(await closed).toMatch(/^HTTP\/1\.1 400 /)
  })

  it('refuses TLS below 1.2', async () => {
    const { hostname, port } = new URL(hub.url)
    const socket = connect({
      host: hostname,
      port: Number(port),
      ca,
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    })
    const { promise, resolve } = Promise.withResolvers<string>()
    socket.once('error', (error) => {
      resolve(error.message)
    })
    socket.once('secureConnect', () => {
      resolve('connected')
    })
    expect(await promise).toMatch(/version|protocol/i)
    socket.destroy()
  })

  it('answers an upgrade that is not for the relay with 404, and CONNECT not at all', async () => {
    const upgrade = await rawConnection(hub.url, ca)
    upgrade.socket.write(
      'GET /x HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n',
    )
    expect(await upgrade.closed).toMatch(/^HTTP\/1\.1 404 /)
    const tunnel = await rawConnection(hub.url, ca)
    tunnel.socket.write('CONNECT 10.0.0.1:443 HTTP/1.1\r\nhost: x\r\n\r\n')
    expect(await tunnel.closed).not.toContain('200')
  })

  it('refuses header floods and huge headers', async () => {
    const huge = await rawConnection(hub.url, ca)
    huge.socket.write(
      `GET / HTTP/1.1\r\nhost: x\r\na: ${'y'.repeat(limits.httpMaxHeaderBytes)}\r\n\r\n`,
    )
    expect(await huge.closed).toMatch(/^HTTP\/1\.1 431 /)
  })

  it('cuts a client that never completes its headers', async () => {
    const start = Date.now()
    const { socket, closed } = await rawConnection(hub.url, ca)
    socket.write('GET /healthz HTTP/1.1\r\nhost: x\r\n')
    const drip = setInterval(() => socket.write('a: b\r\n'), 500)
    const answer = await closed
    clearInterval(drip)
    expect(answer).toMatch(/^(HTTP\/1\.1 408 .*)?/)
    const took = Date.now() - start
    expect(took).toBeGreaterThan(limits.httpHeadersTimeoutMs - 1000)
    expect(took).toBeLessThan(
      limits.httpHeadersTimeoutMs + 2 * limits.httpConnectionsCheckingIntervalMs + 1000,
    )
  })
})
