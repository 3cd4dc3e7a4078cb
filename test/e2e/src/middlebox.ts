/**
 * Hops that misbehave on purpose: a TLS-terminating middlebox that drops WebSocket subprotocols, and a forward proxy that
 * wants credentials.
 * @module
 */
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { connect as connectTcp, type AddressInfo, type Socket } from 'node:net'
import { connect as connectTls, createServer as createTlsServer, type TLSSocket } from 'node:tls'

/** A running hop on 127.0.0.1. */
export interface Hop {
  port: number
  /** What passed: changed heads, or targets of CONNECT. */
  seen: string[]
  close: () => Promise<void>
}

async function listen(
  server: ReturnType<typeof createHttpServer> | ReturnType<typeof createTlsServer>,
  seen: string[],
  port = 0,
): Promise<Hop> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

const subprotocol = /^sec-websocket-protocol:.*\r\n/gim

/** Passes heads on without their subprotocol lines, then bytes untouched. */
function withoutSubprotocol(from: TLSSocket, to: TLSSocket, seen: string[]): void {
  let head = Buffer.alloc(0)
  const onData = (chunk: Buffer) => {
    head = Buffer.concat([head, chunk])
    const end = head.indexOf('\r\n\r\n')
    if (end < 0) return
    from.off('data', onData)
    const text = head.subarray(0, end + 2).toString('latin1')
    if (text.search(subprotocol) >= 0) seen.push(text.split('\r\n')[0] ?? '')
    to.write(Buffer.from(text.replace(subprotocol, ''), 'latin1'))
    to.write(head.subarray(end + 2))
    from.pipe(to)
  }
  from.on('data', onData)
}

/** A middlebox before the TLS server at port `target`, with a certificate clients of that server trust. */
export function startMiddlebox(
  ports: { listen: number; target: number },
  pem: { key: string; cert: string; ca: string },
): Promise<Hop> {
  const seen: string[] = []
  const server = createTlsServer(
    { key: pem.key, cert: pem.cert, ALPNProtocols: ['http/1.1'] },
    (client) => {
      const onward = connectTls({
        host: '127.0.0.1',
        port: ports.target,
        ca: pem.ca,
        ALPNProtocols: ['http/1.1'],
      })
      withoutSubprotocol(client, onward, seen)
      withoutSubprotocol(onward, client, seen)
      for (const [one, other] of [
        [client, onward],
        [onward, client],
      ] as const) {
        one.on('error', () => other.destroy()).on('close', () => other.destroy())
      }
    },
  )
  return listen(server, seen, ports.listen)
}

/** An HTTP CONNECT proxy that demands basic authentication (RFC 9110 section 9.3.6, RFC 7617). */
export function startForwardProxy(credentials: string): Promise<Hop> {
  const seen: string[] = []
  const server = createHttpServer((_request, response) => response.writeHead(405).end())
  server.on('connect', (request, client: Socket, head: Buffer) => {
    const wanted = `Basic ${Buffer.from(credentials).toString('base64')}`
    if (request.headers['proxy-authorization'] !== wanted) {
      client.end(
        'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n\r\n',
      )
      return
    }
    const [host = '', port = ''] = (request.url ?? '').split(':')
    seen.push(request.url ?? '')
    const onward = connectTcp(Number(port), host, () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      onward.write(head)
      client.pipe(onward).pipe(client)
    })
    onward.on('error', () => client.destroy())
    client.on('error', () => onward.destroy())
  })
  return listen(server, seen)
}
