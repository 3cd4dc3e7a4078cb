import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, it } from 'vitest'
import { limits } from '@sallyport/protocol'
import { mintAuthority, mintServerCertificate } from '../../src/server/certificate-authority.ts'
import {
  closeServer,
  createHttpsServer,
  listen,
  trackConnections,
} from '../../src/server/https-server.ts'
import type { TlsMaterial } from '../../src/server/tls-material.ts'
import { call } from '../hub-fixture.ts'

async function mint(): Promise<TlsMaterial> {
  const authority = await mintAuthority(new Date())
  const server = await mintServerCertificate(authority, ['127.0.0.1'], new Date())
  return {
    certificate: server.certificate + authority.certificate,
    key: server.key,
    fingerprintOf: 'CA',
    fingerprint: '',
    authority: authority.certificate,
    minted: true,
  }
}

it('has the limits of limits.ts', async () => {
  const server = createHttpsServer(await mint())
  expect(server).toMatchObject({
    headersTimeout: limits.httpHeadersTimeoutMs,
    requestTimeout: limits.httpRequestTimeoutMs,
    keepAliveTimeout: limits.httpKeepAliveTimeoutMs,
    maxHeadersCount: limits.httpMaxHeaders,
  })
})

it('answers 503 before an application is attached, and names a taken port', async () => {
  const material = await mint()
  const server = createHttpsServer(material)
  const connections = trackConnections(server)
  const port = await listen(server, { host: '127.0.0.1', port: 0 })
  const answer = await call(`https://127.0.0.1:${port}/`, { ca: material.authority ?? '' })
  expect(answer.status).toBe(503)
  await expect(
    listen(createHttpsServer(material), { host: '127.0.0.1', port }),
  ).rejects.toMatchObject({ code: 'ERR_PORT_IN_USE', entry: { exit: 8 } })
  await closeServer(server, connections, 1_000)
})

it('cuts what is left at the deadline, also a connection that never began its handshake', async () => {
  const server = createHttpsServer(await mint())
  const connections = trackConnections(server)
  const port = await listen(server, { host: '127.0.0.1', port: 0 })
  const silent = connect({ host: '127.0.0.1', port })
  const cut = once(silent, 'close')
  await once(server, 'connection')
  const start = performance.now()
  await closeServer(server, connections, 50)
  await cut
  expect(performance.now() - start).toBeLessThan(limits.tlsHandshakeTimeoutMs / 2)
})
