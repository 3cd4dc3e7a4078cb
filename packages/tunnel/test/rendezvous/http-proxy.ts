/**
 * An outbound HTTP proxy, and a middlebox that takes subprotocols out of handshakes; both on 127.0.0.1.
 * @module
 */
import { createServer } from 'node:http'
import {
  connect,
  createServer as createTcpServer,
  type AddressInfo,
  type Server,
  type Socket,
} from 'node:net'

/** A server of this file. */
export interface TestServer {
  port: number
  close(): Promise<void>
}

/** CONNECT requests a proxy got: `target credentials`. */
export interface TestProxy extends TestServer {
  seen: string[]
}

/** A proxy that wants these credentials (`user:password`), or refuses all with `refuse`. */
export async function startProxy(
  options: { credentials?: string; refuse?: number } = {},
): Promise<TestProxy> {
  const seen: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer()
  server.on('connect', (request, socket: Socket, head) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    const basic = (request.headers['proxy-authorization'] ?? '').replace('Basic ', '')
    const credentials = Buffer.from(basic, 'base64').toString()
    seen.push(`${request.url ?? ''} ${credentials}`.trim())
    const isKnown = options.credentials === undefined || options.credentials === credentials
    const status = options.refuse ?? (isKnown ? 200 : 407)
    if (status !== 200) {
      socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`)
      return
    }
    const [host, port] = (request.url ?? '').split(':')
    const upstream = connect({ host: host!, port: Number(port), allowHalfOpen: true })
    sockets.add(upstream)
    upstream.on('error', () => socket.destroy())
    upstream.once('connect', () => {
      socket.write('HTTP/1.1 200 Connected\r\n\r\n')
      upstream.write(head)
      socket.pipe(upstream).pipe(socket)
    })
  })
  return { seen, ...(await listening(server, sockets)) }
}

/** A middlebox before `port` that removes Sec-WebSocket-Protocol from requests, as some do with what they do not know. */
export async function startMiddlebox(port: number): Promise<TestServer> {
  const sockets = new Set<Socket>()
  const server = createTcpServer({ allowHalfOpen: true }, (socket) => {
    const upstream = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    for (const each of [socket, upstream]) {
      sockets.add(each)
      each.on('error', () => {
        socket.destroy()
        upstream.destroy()
      })
    }
    socket.once('data', (head: Buffer) => {
      upstream.write(
        Buffer.from(
          head.toString('latin1').replace(/sec-websocket-protocol:.*\r\n/i, ''),
          'latin1',
        ),
      )
      socket.pipe(upstream)
    })
    upstream.pipe(socket)
  })
  return await listening(server, sockets)
}

async function listening(server: Server, sockets: Set<Socket>): Promise<TestServer> {
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
