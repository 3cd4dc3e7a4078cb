/**
 * An outbound connection: TCP, through an HTTP proxy where one is set, then TLS. Used by both ends of a rendezvous.
 * @module
 */
import { connect, isIP, type Socket } from 'node:net'
import * as tls from 'node:tls'
import { limits, SallyportError } from '@sallyport/protocol'
import { beforeDeadline } from '../link/deadline.ts'
import { connectThroughProxy } from './connect-proxy.ts'
import { timedOut, unreachable, untrusted, type DialTarget, type Hop } from './dial-error.ts'
import { isProxyBypassed, parseProxyUrl, type ProxySettings } from './proxy-settings.ts'

/** How connections leave this machine. `ca` (PEM) replaces the built-in roots. */
export interface DialSettings {
  ca?: string
  proxy?: ProxySettings
}

/** Settings, abort and deadline (default `dialTimeoutMs`, for all steps together) of one dial. */
export interface DialOptions extends DialSettings {
  signal: AbortSignal
  timeoutMs?: number
  /** What is at the URL, for messages and codes; the relay unless told. */
  target?: DialTarget
}

/**
 * Dials the host of a URL; `https:` and `wss:` get TLS 1.2 or later, always verified. The socket allows half-open use.
 * @throws SallyportError ERR_RELAY_UNREACHABLE or ERR_HUB_UNREACHABLE, ERR_HUB_UNTRUSTED, ERR_TIMEOUT naming the hop, ERR_CONFIG_INVALID, or the abort's.
 */
export async function dialSocket(url: URL, options: DialOptions): Promise<Socket> {
  const isSecure = url.protocol === 'https:' || url.protocol === 'wss:'
  if (isSecure) refuseDisabledVerification()
  const dial = new Dial(url, isSecure, options)
  const timeoutMs = options.timeoutMs ?? limits.dialTimeoutMs
  try {
    return await beforeDeadline(dial.run(), {
      signal: options.signal,
      timeoutMs,
      expired: () => timedOut(dial.hop, dial.step, timeoutMs),
    })
  } catch (error) {
    dial.abort()
    throw error
  }
}

/** TCP port of a URL of the schemes http, https, ws and wss. */
export function portOf(url: URL): number {
  if (url.port !== '') return Number(url.port)
  return url.protocol === 'https:' || url.protocol === 'wss:' ? 443 : 80
}

/** Host of a URL as `net` takes it: IPv6 without brackets. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '')
}

/** One attempt; knows the hop it waits for, so that a deadline can name it. */
class Dial {
  hop: Hop
  step = 'the TCP connection'
  readonly #url: URL
  readonly #isSecure: boolean
  readonly #options: DialOptions
  #socket: Socket | undefined

  constructor(url: URL, isSecure: boolean, options: DialOptions) {
    this.#url = url
    this.#isSecure = isSecure
    this.#options = options
    const target = options.target ?? 'relay'
    this.hop = { kind: target, at: `${url.hostname}:${portOf(url)}`, target }
  }

  async run(): Promise<Socket> {
    const last = this.hop
    const host = hostOf(this.#url)
    const port = portOf(this.#url)
    const { proxy } = this.#options
    if (proxy === undefined || isProxyBypassed(proxy.noProxy, host, port)) {
      this.#socket = await this.#tcp(host, port)
    } else {
      const proxyUrl = parseProxyUrl(proxy.url)
      this.hop = {
        kind: 'proxy',
        at: `${proxyUrl.hostname}:${portOf(proxyUrl)}`,
        target: last.target,
      }
      const socket = await this.#tcp(hostOf(proxyUrl), portOf(proxyUrl))
      this.step = 'the CONNECT answer'
      this.#socket = await connectThroughProxy(socket, {
        proxyUrl,
        hop: this.hop,
        target: last.at,
      })
      this.hop = last
    }
    if (this.#isSecure) {
      this.step = 'the TLS handshake'
      this.#socket = await this.#tls(this.#socket, host)
    }
    return this.#socket
  }

  abort(): void {
    this.#socket?.on('error', () => undefined)
    this.#socket?.destroy()
  }

  #tcp(host: string, port: number): Promise<Socket> {
    const { promise, resolve, reject } = Promise.withResolvers<Socket>()
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true, keepAlive: true })
    this.#socket = socket
    const fail = (error: unknown): void => {
      reject(unreachable(this.hop, error))
    }
    socket.once('error', fail)
    socket.once('connect', () => {
      socket.off('error', fail)
      resolve(socket)
    })
    return promise
  }

  #tls(raw: Socket, host: string): Promise<Socket> {
    const { promise, resolve, reject } = Promise.withResolvers<Socket>()
    const { ca } = this.#options
    const socket = tls.connect({
      socket: raw,
      host,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(ca === undefined ? {} : { ca }),
      minVersion: 'TLSv1.2',
      ALPNProtocols: ['http/1.1'],
      rejectUnauthorized: true,
    })
    this.#socket = socket
    const fail = (error?: unknown): void => {
      const isVerification = typeof socket.authorizationError === 'string'
      reject((isVerification ? untrusted : unreachable)(this.hop, error))
    }
    socket.once('error', fail).once('close', fail)
    socket.once('secureConnect', () => {
      socket.off('error', fail).off('close', fail)
      resolve(socket)
    })
    return promise
  }
}

/** T-TLS-3: a process that asks for no verification must not run as if it had some. */
function refuseDisabledVerification(): void {
  if (process.env['NODE_TLS_REJECT_UNAUTHORIZED'] === undefined) return
  throw new SallyportError(
    'ERR_CONFIG_INVALID',
    'NODE_TLS_REJECT_UNAUTHORIZED is set: certificates are always verified',
    { remedy: 'unset NODE_TLS_REJECT_UNAUTHORIZED and name the CA of the hub instead' },
  )
}
