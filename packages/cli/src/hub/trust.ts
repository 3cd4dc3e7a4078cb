/**
 * First contact with a hub: which authority stands behind its certificate. Nothing but a TLS handshake is sent before it is trusted.
 * @module
 */
import { X509Certificate } from 'node:crypto'
import { connect, type DetailedPeerCertificate, type PeerCertificate } from 'node:tls'
import { isIP, type Socket } from 'node:net'
import { SallyportError, limits } from '@sallyport/protocol'
import { dialSocket, type DialSettings } from '@sallyport/tunnel'

/** A certificate as shown by a server. */
export interface ShownCertificate {
  pem: string
  /** `sha256:AB:CD:…`. */
  fingerprint: string
  subject: string
}

const asShown = (raw: Buffer): ShownCertificate => {
  const certificate = new X509Certificate(raw)
  return {
    pem: certificate.toString(),
    fingerprint: `sha256:${certificate.fingerprint256}`,
    subject: certificate.subject.replaceAll('\n', ', '),
  }
}

/**
 * The chain a server shows, its own certificate first. Nobody has verified it.
 * @throws SallyportError ERR_HUB_UNREACHABLE.
 */
export async function shownChain(
  origin: string,
  dial: DialSettings,
  signal: AbortSignal,
): Promise<ShownCertificate[]> {
  const url = new URL(origin)
  const port = url.port === '' ? '443' : url.port
  // The proxy's CONNECT, but no TLS yet: an `http:` address of the same host and port.
  const plain = new URL(`http://${url.hostname}:${port}`)
  const socket = await dialSocket(plain, {
    ...(dial.proxy === undefined ? {} : { proxy: dial.proxy }),
    signal,
    target: 'hub',
  })
  const hostname = url.hostname.replaceAll(/[[\]]/g, '')
  const servername = isIP(hostname) === 0 ? { servername: hostname } : {}
  return handshake(socket, servername, signal)
}

async function handshake(
  socket: Socket,
  options: { servername?: string },
  signal: AbortSignal,
): Promise<ShownCertificate[]> {
  const { promise, resolve, reject } = Promise.withResolvers<ShownCertificate[]>()
  // Looking, not trusting: the connection ends with the handshake.
  const tls = connect({ socket, rejectUnauthorized: false, ...options }, () => {
    resolve(chainOf(tls.getPeerCertificate(true)))
  })
  tls.once('error', (cause) => {
    reject(
      new SallyportError('ERR_HUB_UNREACHABLE', 'the hub does not speak TLS', {
        cause,
        why: cause.message,
      }),
    )
  })
  const late = AbortSignal.timeout(limits.tlsHandshakeTimeoutMs)
  const stop = (): void => {
    reject(
      signal.aborted
        ? (signal.reason as Error)
        : new SallyportError('ERR_TIMEOUT', 'the TLS handshake of the hub took too long'),
    )
  }
  const any = AbortSignal.any([signal, late])
  any.addEventListener('abort', stop, { once: true })
  try {
    return await promise
  } finally {
    any.removeEventListener('abort', stop)
    tls.destroy()
  }
}

function chainOf(leaf: DetailedPeerCertificate): ShownCertificate[] {
  const chain: ShownCertificate[] = []
  const seen = new Set<string>()
  for (
    let at: DetailedPeerCertificate | PeerCertificate | undefined = leaf;
    at?.raw !== undefined && !seen.has(at.fingerprint256);
    at = 'issuerCertificate' in at ? at.issuerCertificate : undefined
  ) {
    seen.add(at.fingerprint256)
    chain.push(asShown(at.raw))
  }
  return chain
}

/**
 * A fingerprint as people copy it, in canonical form: `sha256:` optional, hexadecimal with or without colons, any case.
 * @throws SallyportError ERR_USAGE.
 */
export function parseFingerprint(given: string): string {
  const hex = given
    .trim()
    .replace(/^sha-?256[:=]/i, '')
    .replaceAll(/[:\s]/g, '')
    .toUpperCase()
  if (!/^[0-9A-F]{64}$/.test(hex)) {
    throw new SallyportError('ERR_USAGE', `'${given}' is not a SHA-256 fingerprint`, {
      remedy: 'copy the line "CA fingerprint sha256:…" that the hub printed at start',
    })
  }
  return `sha256:${(hex.match(/../g) ?? []).join(':')}`
}

/** The certificate of the chain with this fingerprint. @throws SallyportError ERR_HUB_UNTRUSTED naming what was shown. */
export function certificateWith(fingerprint: string, chain: ShownCertificate[]): ShownCertificate {
  const found = chain.find((certificate) => certificate.fingerprint === fingerprint)
  if (found !== undefined) return found
  throw new SallyportError('ERR_HUB_UNTRUSTED', 'the hub shows another certificate than expected', {
    why: `expected ${fingerprint}, shown: ${chain.map((one) => one.fingerprint).join(', ')}`,
    remedy:
      'ask the owner of the hub for its CA fingerprint; somebody may stand between you and the hub',
  })
}
