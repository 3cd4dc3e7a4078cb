/**
 * The inner TLS 1.3 connection of a link, both ends. No chain is verified anywhere: each end compares fingerprints itself, after
 * the handshake and before the first byte of HTTP/2, because Node skips its own callbacks on resumed sessions.
 * @module
 */
import { constants, X509Certificate } from 'node:crypto'
import type { Duplex } from 'node:stream'
import * as tls from 'node:tls'
import { limits, linkAlpn, SallyportError } from '@sallyport/protocol'
import { beforeDeadline } from './deadline.ts'
import type { LinkIdentity } from './identity.ts'

/** A finished handshake: the socket, and the certificate the peer has proved to own. */
export interface SecureLink {
  socket: tls.TLSSocket
  peer: X509Certificate
}

/** Shared by both ends: one version, one protocol, nothing that could resume. */
function tlsSettings(
  identity: LinkIdentity,
): tls.SecureContextOptions & { ALPNProtocols: string[] } {
  return {
    cert: identity.certificate,
    key: identity.privateKey,
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    ALPNProtocols: [linkAlpn],
    secureOptions: constants.SSL_OP_NO_TICKET,
  }
}

const handshakeError = (why: string, cause?: unknown): SallyportError =>
  new SallyportError('ERR_LINK_HANDSHAKE', 'the TLS handshake of the link failed', { why, cause })

const whyOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : 'connection closed'

/** Checks what TLS itself was told not to check. A resumed session shows no certificate, so its pin would mean nothing (M1, CVE-2026-48934). */
function checkPeer(socket: tls.TLSSocket): SecureLink {
  if (socket.isSessionReused()) throw handshakeError('the peer resumed a session')
  if (socket.getProtocol() !== 'TLSv1.3') throw handshakeError('the peer does not speak TLS 1.3')
  if (socket.alpnProtocol !== linkAlpn) throw handshakeError('the peer does not speak h2')
  const peer = socket.getPeerX509Certificate()
  if (peer === undefined) throw handshakeError('the peer showed no certificate')
  // A copy: the socket's own object refers to the connection, ours outlives it.
  return { socket, peer: new X509Certificate(peer.raw) }
}

/** Half-close is for streams, not for the transport: its end of file is the end of the link, which a half-open socket would not show. */
function endsWithPeer(stream: Duplex): void {
  stream.allowHalfOpen = false
}

async function finish(
  stream: Duplex,
  handshake: Promise<tls.TLSSocket>,
  signal: AbortSignal,
): Promise<SecureLink> {
  try {
    const socket = await beforeDeadline(handshake, {
      signal,
      timeoutMs: limits.linkHandshakeTimeoutMs,
      expired: () => handshakeError(`no answer in ${limits.linkHandshakeTimeoutMs} ms`),
    })
    return checkPeer(socket)
  } catch (error) {
    stream.destroy()
    throw error
  }
}

/** Client end of the handshake. @throws SallyportError ERR_LINK_HANDSHAKE or the abort's; the stream is then destroyed. */
export function secureAsClient(
  stream: Duplex,
  options: { identity: LinkIdentity; serverName: string; signal: AbortSignal },
): Promise<SecureLink> {
  const { promise, resolve, reject } = Promise.withResolvers<tls.TLSSocket>()
  endsWithPeer(stream)
  const socket = tls.connect({
    ...tlsSettings(options.identity),
    socket: stream,
    servername: options.serverName,
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
  })
  const fail = (error?: unknown): void => {
    reject(handshakeError(whyOf(error), error))
  }
  socket.on('error', fail).on('close', fail)
  // The stream belongs to the link from here on: an error of it must never be without a listener.
  stream.on('error', fail)
  socket.once('secureConnect', () => {
    resolve(socket)
  })
  return finish(stream, promise, options.signal)
}

/** Agent end of the handshake. @throws SallyportError ERR_LINK_HANDSHAKE or the abort's; the stream is then destroyed. */
export function secureAsServer(
  stream: Duplex,
  options: { identity: LinkIdentity; signal: AbortSignal },
): Promise<SecureLink> {
  const { promise, resolve, reject } = Promise.withResolvers<tls.TLSSocket>()
  endsWithPeer(stream)
  const server = tls.createServer({
    ...tlsSettings(options.identity),
    requestCert: true,
    // The certificate is self-signed on purpose; `checkPeer` demands one, and the bind compares it with the token.
    rejectUnauthorized: false,
    handshakeTimeout: limits.linkHandshakeTimeoutMs,
  })
  const fail = (error?: unknown): void => {
    reject(handshakeError(whyOf(error), error))
  }
  server.on('tlsClientError', fail)
  stream.on('error', fail).on('close', fail)
  server.on('secureConnection', (socket) => {
    socket.on('error', fail)
    resolve(socket)
  })
  server.emit('connection', stream)
  return finish(stream, promise, options.signal)
}
