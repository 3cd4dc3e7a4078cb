/**
 * What both clients of the API server have in common: their shape, their pool, their upgrades. No identity in here.
 * @module
 */
import { request as httpsRequest } from 'node:https'
import type { ClientRequest } from 'node:http'
import type { Readable } from 'node:stream'
import { connect as tlsConnect, type SecureContextOptions } from 'node:tls'
import { limits } from '@sallyport/protocol'
import { buildConnector, Pool, type Dispatcher } from 'undici'
import type { HeadGuard, HeadRule } from './head-guard.ts'
import type { UpstreamAddress } from './target.ts'

/** One request as the link side has cleaned it: raw target, header names and values alternating, no hop-by-hop, no identity. */
export interface UpstreamRequest {
  readonly method: string
  /** Raw target as received; the client adds the server's path prefix. */
  readonly target: string
  /** Alternating names and values; the client appends its own to this array. */
  readonly headers: string[]
  /** `Authorization` of the caller, verbatim; undefined when it sent none. */
  readonly authorization: string | undefined
  readonly body: Readable | null
  /** Milliseconds to wait for the response head; 0 for requests that may stay silent (watch, logs -f). */
  readonly headersTimeoutMs: number
}

/** Sends requests to the API server under one rule of identity. */
export interface UpstreamClient {
  readonly kind: HeadRule['kind']
  /**
   * Sends; the answer goes to `handler`, whose `onResponseError` gets every failure.
   * @throws SallyportError when the request may not be sent at all (no upstream call was made).
   */
  send(request: UpstreamRequest, handler: Dispatcher.DispatchHandler): void
  /** Opens a connection of its own and sends an upgrade request; headers must hold Connection and Upgrade. */
  upgrade(request: UpstreamRequest): ClientRequest
  /** Takes no new requests; resolves when the running ones have ended. */
  retire(): Promise<void>
  /** Ends everything at once. */
  destroy(): void
}

/** TLS settings of one client; a certificate only where the client may use the agent's. */
export interface TlsSettings extends Pick<SecureContextOptions, 'ca' | 'cert' | 'key'> {
  servername?: string
}

const idleUpstreamMs = 60_000

function tlsOptions(
  address: UpstreamAddress,
  tls: TlsSettings,
): TlsSettings & { minVersion: 'TLSv1.2'; rejectUnauthorized: boolean } {
  return { ...tls, minVersion: 'TLSv1.2', rejectUnauthorized: address.verify }
}

/** The pool of one client: HTTP/1.1 only, no pipelining, no session cache, every head checked. */
export function createPool(options: {
  address: UpstreamAddress
  tls: TlsSettings
  guard: HeadGuard
  rule: HeadRule
}): Pool {
  // A variable, since undici's types do not list all options of tls.connect it passes on.
  const settings = {
    ...tlsOptions(options.address, options.tls),
    allowH2: false,
    maxCachedSessions: 0,
    timeout: limits.upstreamConnectTimeoutMs,
    noDelay: true,
    // undici sets 16 KiB; with more, bulk reads stop and start less (measured: a quarter of the CPU of a download).
    highWaterMark: limits.relaySpliceHighWaterMarkBytes,
  }
  const connect = buildConnector(settings)
  return new Pool(options.address.origin, {
    connect: (to, done) => {
      connect(to, (...result) => {
        if (result[0] === null) options.guard.watch(result[1], options.rule)
        done(...result)
      })
    },
    allowH2: false,
    connections: limits.upstreamConnectionsPerSession,
    pipelining: 1,
    headersTimeout: limits.upstreamHeadersTimeoutMs,
    bodyTimeout: 0,
    keepAliveTimeout: idleUpstreamMs,
    keepAliveMaxTimeout: idleUpstreamMs,
    maxHeaderSize: limits.agentMaxHeaderBytes,
  })
}

/**
 * An upgrade request on a connection of its own, with half-close. Serialised by node:http (M11), checked before it is sent.
 * The caller owns the request: it must listen for `upgrade`, `response` and `error`.
 */
export function sendUpgrade(options: {
  address: UpstreamAddress
  tls: TlsSettings
  guard: HeadGuard
  rule: HeadRule
  request: UpstreamRequest
}): ClientRequest {
  const { address, request } = options
  const host = address.hostname.includes(':') ? `[${address.hostname}]` : address.hostname
  // allowHalfOpen: an upgraded stream may end one direction first (`kubectl exec -i` at the end of stdin).
  const connection = {
    ...tlsOptions(address, options.tls),
    ALPNProtocols: ['http/1.1'],
    host: address.hostname,
    port: address.port,
    allowHalfOpen: true,
  }
  const sent = httpsRequest({
    method: request.method,
    path: address.pathPrefix + request.target,
    headers: ['Host', `${host}:${address.port}`, ...request.headers],
    maxHeaderSize: limits.agentMaxHeaderBytes,
    setHost: false,
    createConnection: () => tlsConnect(connection),
  })
  // The serialised head exists as soon as headers are given as an array; the connection is not even open yet.
  if (options.guard.check(Reflect.get(sent, '_header'), options.rule)) sent.end()
  else sent.destroy()
  return sent
}
