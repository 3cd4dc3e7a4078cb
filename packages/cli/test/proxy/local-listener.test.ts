/**
 * The local end: nobody without the certificate of this run, both directions to their own end, waiting and giving up.
 * @module
 */
import { once } from 'node:events'
import { connect as tcp, createServer, type AddressInfo } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import { duplexPair, type Duplex } from 'node:stream'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createLocalCertificates, type LocalCertificates } from '../../src/proxy/certificates.ts'
import { listenLocally, type LocalListener } from '../../src/proxy/local-listener.ts'

let certificates: LocalCertificates
let strange: LocalCertificates

beforeAll(async () => {
  certificates = await createLocalCertificates()
  strange = await createLocalCertificates()
})

async function listening(): Promise<LocalListener> {
  const listener = await listenLocally(0, certificates)
  onTestFinished(() => listener.close())
  return listener
}

/** Connects as kubectl does, with the client certificate of `who`. */
async function dial(port: number, who: LocalCertificates = certificates): Promise<TLSSocket> {
  const socket = connect({
    host: '127.0.0.1',
    port,
    ca: certificates.ca,
    cert: who.clientCertificate,
    key: who.clientKey,
    ALPNProtocols: ['h2', 'http/1.1'],
  })
  // Node's types leave it away for clients.
  socket.allowHalfOpen = true
  await once(socket, 'secureConnect')
  return socket
}

/** Serves each connection with one end of a pair; resolves with the other ends. */
function streams(listener: LocalListener): { next: () => Promise<Duplex>; count: () => number } {
  const made: Duplex[] = []
  const waiting: ((stream: Duplex) => void)[] = []
  listener.serve(() => {
    const [near, far] = duplexPair({ allowHalfOpen: true })
    made.push(far)
    waiting.shift()?.(far)
    return Promise.resolve(near)
  })
  return {
    next: () => new Promise((resolve) => waiting.push(resolve)),
    count: () => made.length,
  }
}

/** How a connection goes on: `data`, or `closed` by the other side. */
function ends(socket: TLSSocket): Promise<'data' | 'closed'> {
  return new Promise((resolve) => {
    const closed = () => {
      resolve('closed')
      socket.destroy()
    }
    socket.on('error', closed).once('end', closed).once('close', closed)
    socket.once('data', () => {
      resolve('data')
    })
  })
}

/** Everything until the end of the stream; its writable side stays. */
function readAll(stream: Duplex): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.once('end', () => {
      resolve(Buffer.concat(chunks))
    })
    stream.once('error', reject)
  })
}

describe('T-LOC-3: who gets in', () => {
  it('a client without a certificate, or with one of another run, gets no stream', async () => {
    const listener = await listening()
    const { count } = streams(listener)
    const without = connect({ host: '127.0.0.1', port: listener.port, ca: certificates.ca })
    expect(await ends(without)).toBe('closed')
    const other = connect({
      host: '127.0.0.1',
      port: listener.port,
      ca: certificates.ca,
      cert: strange.clientCertificate,
      key: strange.clientKey,
    })
    expect(await ends(other)).toBe('closed')
    expect(count()).toBe(0)
  })
  it('plain HTTP, whatever its Host or Origin, gets nothing', async () => {
    const listener = await listening()
    const { count } = streams(listener)
    const socket = tcp(listener.port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.end(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${listener.port}\r\nOrigin: http://evil\r\n\r\n`)
    let text = ''
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
    await once(socket, 'close')
    expect(text).not.toContain('HTTP/')
    expect(count()).toBe(0)
  })
  it('listens on 127.0.0.1 only', async () => {
    const listener = await listening()
    const socket = tcp(listener.port, '::1')
    const [error] = (await once(socket, 'error')) as [Error]
    expect(error).toBeInstanceOf(Error)
  })
  it('speaks HTTP/1.1, TLS verified by the authority of this run', async () => {
    const listener = await listening()
    streams(listener)
    const socket = await dial(listener.port)
    expect(socket.alpnProtocol).toBe('http/1.1')
    expect(socket.authorized).toBe(true)
    socket.destroy()
    const distrusting = connect({ host: '127.0.0.1', port: listener.port, ca: strange.ca })
    const [error] = (await once(distrusting, 'error')) as [NodeJS.ErrnoException]
    expect(error.code).toMatch(/CERT|SIGNATURE|ISSUER/)
  })
  it('does not resume sessions: each connection shows its certificate', async () => {
    const listener = await listening()
    const { next } = streams(listener)
    const remote = next()
    const first = await dial(listener.port)
    const session = once(first, 'session') as Promise<[Buffer]>
    const far = await remote
    far.write('hello')
    first.resume()
    const [ticket] = await session
    first.destroy()
    const second = connect({
      host: '127.0.0.1',
      port: listener.port,
      ca: certificates.ca,
      session: ticket,
    })
    expect(await ends(second)).toBe('closed')
  })
})

describe('bytes', () => {
  it('half-close reaches each side by itself', async () => {
    const listener = await listening()
    const { next } = streams(listener)
    const remote = next()
    const socket = await dial(listener.port)
    const far = await remote
    socket.end('request')
    expect((await readAll(far)).toString()).toBe('request')
    far.end('answer')
    expect((await readAll(socket)).toString()).toBe('answer')
  })
  it('a broken end breaks the other', async () => {
    const listener = await listening()
    const { next } = streams(listener)
    const remote = next()
    const socket = await dial(listener.port)
    socket.on('error', () => undefined)
    const far = await remote
    far.on('error', () => undefined).destroy(new Error('broken'))
    expect(await ends(socket)).toBe('closed')
    const again = next()
    const second = await dial(listener.port)
    const there = await again
    there.on('error', () => undefined)
    second.destroy()
    there.resume()
    await once(there, 'end')
  })
  it('carries megabytes both ways unchanged', async () => {
    const listener = await listening()
    const { next } = streams(listener)
    const remote = next()
    const socket = await dial(listener.port)
    const far = await remote
    far.pipe(far)
    const sent = Buffer.alloc(4 * 1024 * 1024, 'abcdefghijklmnop')
    socket.end(sent)
    expect((await readAll(socket)).equals(sent)).toBe(true)
  })
})

describe('waiting', () => {
  it('a connection before readiness waits for its stream', async () => {
    const listener = await listening()
    const socket = await dial(listener.port)
    socket.write('early')
    const { next } = streams(listener)
    const far = await next()
    const [chunk] = (await once(far, 'data')) as [Buffer]
    expect(chunk.toString()).toBe('early')
    socket.destroy()
  })
  it('no stream to be had: the connection is closed', async () => {
    const listener = await listening()
    listener.serve(() => Promise.reject(new Error('no link')))
    expect(await ends(await dial(listener.port))).toBe('closed')
  })
  it('close ends every connection', async () => {
    const listener = await listenLocally(0, certificates)
    streams(listener)
    const socket = await dial(listener.port)
    const end = ends(socket)
    await listener.close()
    expect(await end).toBe('closed')
  })
})

describe('a taken port', () => {
  it('is ERR_PORT_IN_USE, exit 8', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => {
      server.close()
    })
    await expect(
      listenLocally((server.address() as AddressInfo).port, certificates),
    ).rejects.toMatchObject({ code: 'ERR_PORT_IN_USE', entry: { exit: 8 } })
  })
})
