/**
 * The one listening socket: HTTPS/1.1 with every limit set, and its life from bound to closed.
 * @module
 */
import { createServer, type Server } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { limits, SallyportError } from '@sallyport/protocol'
import type { ListenAddress } from '../config/server-config.ts'
import { systemCode } from './data-directory.ts'
import type { TlsMaterial } from './tls-material.ts'

/** TLS options of a material; HTTP/2 is never offered (T-H2-1), nothing older than TLS 1.2. */
export function secureOptions(material: TlsMaterial) {
  return {
    cert: material.certificate,
    key: material.key,
    ...(material.passphrase === undefined ? {} : { passphrase: material.passphrase }),
    minVersion: 'TLSv1.2',
    ALPNProtocols: ['http/1.1'],
  } as const
}

/** Makes the server; it answers 503 until an application is attached. */
export function createHttpsServer(material: TlsMaterial): Server {
  const server = createServer({
    ...secureOptions(material),
    handshakeTimeout: limits.tlsHandshakeTimeoutMs,
    headersTimeout: limits.httpHeadersTimeoutMs,
    requestTimeout: limits.httpRequestTimeoutMs,
    connectionsCheckingInterval: limits.httpConnectionsCheckingIntervalMs,
    keepAliveTimeout: limits.httpKeepAliveTimeoutMs,
    maxHeaderSize: limits.httpMaxHeaderBytes,
    // Not allowHalfOpen: it would keep a connection that ends inside its handshake until the timeout; the relay sets it on
    // the sockets it splices.
    noDelay: true,
  })
  server.on('request', answerStarting)
  server.maxHeadersCount = limits.httpMaxHeaders
  // A handshake that fails is the peer's problem; without a listener it would still be silent, with one it is so on purpose.
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  return server
}

/**
 * Binds the server.
 * @throws SallyportError ERR_PORT_IN_USE, ERR_CONFIG_INVALID (address not of this machine, port needs privilege).
 */
export async function listen(server: Server, address: ListenAddress): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>()
  server.once('error', reject)
  server.listen({ host: address.host, port: address.port }, () => {
    resolve(undefined)
  })
  try {
    await promise
  } catch (error) {
    throw listenError(address, error)
  } finally {
    server.off('error', reject)
  }
  return (server.address() as AddressInfo).port
}

function listenError({ host, port }: ListenAddress, cause: unknown): SallyportError {
  const where = `${host}:${port}`
  switch (systemCode(cause)) {
    case 'EADDRINUSE':
      return new SallyportError('ERR_PORT_IN_USE', `${where} is already in use`, {
        cause,
        remedy: 'stop the other program, or choose another address: --listen HOST:PORT',
      })
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new SallyportError(
        'ERR_CONFIG_INVALID',
        `cannot listen on ${where}: this is not an address of this machine`,
        { cause, remedy: 'choose one of its addresses, or 0.0.0.0 for all: --listen HOST:PORT' },
      )
    case 'EACCES':
      return new SallyportError(
        'ERR_CONFIG_INVALID',
        `cannot listen on ${where}: this port needs privileges`,
        { cause, remedy: 'choose a port from 1024 on: --listen HOST:PORT' },
      )
    default:
      return new SallyportError(
        'ERR_INTERNAL',
        `cannot listen on ${where}: ${systemCode(cause) ?? 'unknown error'}`,
        { cause },
      )
  }
}

/** Every open connection of the server, also those still in their handshake or taken over by an upgrade. */
export function trackConnections(server: Server): ReadonlySet<Socket> {
  const open = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  })
  return open
}

/** Stops accepting, lets what is under way finish, and cuts what is left after `deadlineMs`. */
export async function closeServer(
  server: Server,
  connections: ReadonlySet<Socket>,
  deadlineMs: number,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  server.close(() => {
    resolve(undefined)
  })
  server.closeIdleConnections()
  const timer = setTimeout(() => {
    for (const socket of connections) socket.destroy()
  }, deadlineMs)
  try {
    await promise
  } finally {
    clearTimeout(timer)
  }
}

/** Answers 503 until the application is attached: a client must not wait for an answer nobody will write. */
export function answerStarting(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(503, { 'retry-after': '1', 'content-length': '0', connection: 'close' }).end()
}
