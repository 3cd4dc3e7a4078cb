/**
 * HTTP CONNECT through an outbound proxy (RFC 9110 section 9.3.6), with basic authentication.
 * @module
 */
import { request, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { limits, SallyportError } from '@sallyport/protocol'
import { hopName, unreachable, unreachableCode, type Hop } from './dial-error.ts'

/** The proxy as an URL and as a hop, and `host:port` to be connected to. */
export interface ProxyConnect {
  proxyUrl: URL
  hop: Hop
  target: string
}

/**
 * Asks the proxy behind `socket` for a tunnel to `target`; the same socket then carries it.
 * @throws SallyportError ERR_RELAY_UNREACHABLE or ERR_HUB_UNREACHABLE naming the proxy; the socket is then destroyed.
 */
export function connectThroughProxy(socket: Socket, connect: ProxyConnect): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  const outgoing = request({
    method: 'CONNECT',
    path: connect.target,
    setHost: false,
    headers: { host: connect.target, ...authorization(connect.proxyUrl) },
    maxHeaderSize: limits.httpMaxHeaderBytes,
    createConnection: () => socket,
  })
  outgoing.on('connect', (response: IncomingMessage, _socket: Socket, head: Buffer) => {
    const status = response.statusCode ?? 0
    if (status < 200 || status > 299) {
      socket.destroy()
      reject(refused(connect, status))
      return
    }
    if (head.length > 0) socket.unshift(head)
    resolve(socket)
  })
  outgoing.on('error', (error) => {
    reject(unreachable(connect.hop, error))
  })
  outgoing.end()
  return promise
}

function authorization({ username, password }: URL): Record<string, string> {
  if (username === '' && password === '') return {}
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { 'proxy-authorization': `Basic ${Buffer.from(credentials).toString('base64')}` }
}

function refused({ hop, target }: ProxyConnect, status: number): SallyportError {
  const needsLogin = status === 407
  return new SallyportError(
    unreachableCode(hop),
    `${hopName(hop)} refused to connect to ${target}`,
    {
      why: `status ${status}${needsLogin ? ', it wants other credentials' : ''}`,
      remedy: needsLogin
        ? 'set user and password of the proxy: HTTPS_PROXY=http://user:password@host:port'
        : 'allow the target in the proxy, or name it in NO_PROXY',
    },
  )
}
