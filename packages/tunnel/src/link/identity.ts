/**
 * The key and self-signed certificate one end shows on a link; nobody verifies a chain, so a certificate is only a carrier of its key.
 * @module
 */
// @peculiar/x509 resolves its parts with tsyringe, which needs the metadata polyfill loaded first.
import 'reflect-metadata'
import { createHash, createPrivateKey, randomBytes, X509Certificate } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import { SallyportError } from '@sallyport/protocol'

/** How far `notBefore` lies in the past, so that a peer with a slow clock still accepts the certificate. */
const backdateMs = 10 * 60 * 1000

/** One end's link certificate with its private key and the two fingerprints the other end compares. */
export interface LinkIdentity {
  /** PEM. */
  certificate: string
  /** PEM, PKCS#8. */
  privateKey: string
  /** `x5t#S256`: SHA-256 of the certificate DER, base64url (RFC 8705 section 3.1). */
  certificateThumbprint: string
  /** SHA-256 of the SubjectPublicKeyInfo DER, base64url (RFC 7469 section 2.4, other alphabet). */
  keySha256: string
}

const sha256 = (data: Buffer): string => createHash('sha256').update(data).digest('base64url')

/** SHA-256 of a certificate's DER, base64url: the `x5t#S256` of RFC 8705. */
export function certificateThumbprint(certificate: X509Certificate): string {
  return sha256(certificate.raw)
}

/** SHA-256 of a certificate's SubjectPublicKeyInfo DER, base64url: what `known_clusters` pins. */
export function certificateKeySha256(certificate: X509Certificate): string {
  return sha256(certificate.publicKey.export({ type: 'spki', format: 'der' }))
}

/** Makes a P-256 key and a certificate signed by itself; `validForMs` counts from `notBefore` (now), which is then backdated 10 minutes. */
export async function createLinkIdentity(options: {
  commonName: string
  validForMs: number
  notBefore?: Date
}): Promise<LinkIdentity> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const start = (options.notBefore ?? new Date()).getTime()
  const serial = randomBytes(16)
  // A positive serial without leading zero keeps its DER form (RFC 5280 section 4.1.2.2).
  serial[0] = (serial.readUInt8(0) & 0x7f) | 0x40
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial.toString('hex'),
    name: [{ CN: [options.commonName] }],
    notBefore: new Date(start - backdateMs),
    notAfter: new Date(start + options.validForMs),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    ],
  })
  const privateKey = await crypto.subtle.exportKey('pkcs8', keys.privateKey)
  return loadLinkIdentity({
    certificate: certificate.toString('pem'),
    privateKey: x509.PemConverter.encode(privateKey, x509.PemConverter.PrivateKeyTag),
  })
}

/**
 * Reads a stored identity and computes its fingerprints.
 * @throws SallyportError ERR_STATE_INVALID when either PEM is damaged or the two do not belong together.
 */
export function loadLinkIdentity(pem: { certificate: string; privateKey: string }): LinkIdentity {
  try {
    const certificate = new X509Certificate(pem.certificate)
    if (!certificate.checkPrivateKey(createPrivateKey(pem.privateKey))) {
      throw new TypeError('private key and certificate do not belong together')
    }
    return {
      certificate: pem.certificate,
      privateKey: pem.privateKey,
      certificateThumbprint: certificateThumbprint(certificate),
      keySha256: certificateKeySha256(certificate),
    }
  } catch (cause) {
    throw new SallyportError('ERR_STATE_INVALID', 'the link certificate or its key is unreadable', {
      cause,
    })
  }
}
