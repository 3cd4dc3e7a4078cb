/**
 * The local end for kubectl: TLS on 127.0.0.1 that lets in exactly the client certificate of this run (T-LOC-3).
 * @module
 */
import { constants } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { createServer, type TLSSocket } from 'node:tls'
import type { AddressInfo, Socket } from 'node:net'
import { SallyportError, limits } from '@sallyport/protocol'
import { systemCode } from '../credentials/file-error.ts'
import type { LocalCertificates } from './certificates.ts'
import { splice } from './splice.ts'

/** A bound listener. Connections wait until `serve` is called. */
export interface LocalListener {
  port: number
  /** From now on every connection gets a stream. */
  serve: (openStream: (signal: AbortSignal) => Promise<Duplex>) => void
  /** Ends listener and connections. */
  close: () => Promise<void>
}

/**
 * Binds the port; 0 takes any free one. IPv4 loopback only.
 * @throws SallyportError ERR_PORT_IN_USE.
 */
export async function listenLocally(
  port: number,
  certificates: LocalCertificates,
): Promise<LocalListener> {
  const server = createServer({
    key: certificates.serverKey,
    cert: certificates.serverCertificate,
    ca: certificates.ca,
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    // kubectl upgrades connections, which HTTP/2 cannot; and the agent reads HTTP/1.1.
    ALPNProtocols: ['http/1.1'],
    // A resumed session would show no certificate.
    secureOptions: constants.SSL_OP_NO_TICKET,
    handshakeTimeout: limits.tlsHandshakeTimeoutMs,
    allowHalfOpen: true,
    noDelay: true,
  })
  server.maxConnections = limits.localConnections
  const sockets = new Set<Socket>()
  const stop = new AbortController()
  const opener = Promise.withResolvers<(signal: AbortSignal) => Promise<Duplex>>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  // A stranger without the certificate: its handshake fails, nothing else happens.
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  server.on('secureConnection', (socket) => {
    void carry(socket, opener.promise, stop.signal)
  })
  await bind(server, port)
  return {
    port: (server.address() as AddressInfo).port,
    serve: opener.resolve,
    close: async () => {
      stop.abort()
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function bind(server: ReturnType<typeof createServer>, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>()
  server.once('error', reject)
  server.listen({ host: '127.0.0.1', port, exclusive: true }, () => {
    resolve(undefined)
  })
  try {
    await promise
  } catch (cause) {
    const isDenied = systemCode(cause) === 'EACCES'
    const what = isDenied
      ? `port ${port} is reserved for root`
      : `port ${port} is taken by another program`
    throw new SallyportError('ERR_PORT_IN_USE', what, { cause })
  } finally {
    server.off('error', reject)
  }
  server.on('error', () => undefined)
}

/** Waits for a stream as long as the link is dialled again, then closes: kubectl reports a closed connection, and tries again where it is safe. */
async function carry(
  socket: TLSSocket,
  opener: Promise<(signal: AbortSignal) => Promise<Duplex>>,
  stop: AbortSignal,
): Promise<void> {
  const gone = new AbortController()
  socket.on('error', () => undefined)
  socket.once('close', () => {
    gone.abort()
  })
  try {
    const openStream = await opener
    const stream = await openStream(AbortSignal.any([gone.signal, stop]))
    if (socket.destroyed) stream.destroy()
    else await splice(socket, stream)
  } catch {
    socket.destroy()
  }
}
