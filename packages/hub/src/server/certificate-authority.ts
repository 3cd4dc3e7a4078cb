/**
 * The hub's own CA and the server certificates it issues (P-256, RFC 5280).
 * @module
 */
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'
import { X509Certificate, randomBytes, webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
import { limits } from '@sallyport/protocol'

/** A certificate and its private key, both PEM. */
export interface KeyedCertificate {
  certificate: string
  key: string
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const clockSkewMs = limits.certificateBackdateMs

async function exportKey(keys: webcrypto.CryptoKeyPair): Promise<string> {
  const der = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)
  return x509.PemConverter.encode(der, 'PRIVATE KEY')
}

const makeKeys = (): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])

/** Positive, 127 bits of randomness (RFC 5280 section 4.1.2.2). */
function serialNumber(): string {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40
  return bytes.toString('hex')
}

/** Makes a CA: 10 years, may sign end certificates only. */
export async function mintAuthority(now: Date): Promise<KeyedCertificate> {
  const keys = await makeKeys()
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: `CN=Sallyport hub CA ${randomBytes(4).toString('hex')}`,
    notBefore: new Date(now.getTime() - clockSkewMs),
    notAfter: new Date(now.getTime() + limits.authorityTtlMs),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { certificate: `${certificate.toString('pem')}\n`, key: `${await exportKey(keys)}\n` }
}

/** Makes a server certificate for `names`, signed by `authority`; at most 397 days and never beyond the CA. */
export async function mintServerCertificate(
  authority: KeyedCertificate,
  names: string[],
  now: Date,
): Promise<KeyedCertificate> {
  const issuer = new x509.X509Certificate(authority.certificate)
  const signingKey = await webcrypto.subtle.importKey(
    'pkcs8',
    x509.PemConverter.decodeFirst(authority.key),
    algorithm,
    false,
    ['sign'],
  )
  const keys = await makeKeys()
  const notBefore = new Date(now.getTime() - clockSkewMs)
  const notAfter = Math.min(
    notBefore.getTime() + limits.serverCertificateTtlMs,
    issuer.notAfter.getTime(),
  )
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: `CN=Sallyport hub`,
    issuer: issuer.subject,
    notBefore,
    notAfter: new Date(notAfter),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        names.map((name) => ({ type: isIP(name) === 0 ? 'dns' : 'ip', value: name })),
      ),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { certificate: `${certificate.toString('pem')}\n`, key: `${await exportKey(keys)}\n` }
}

/** `sha256:AB:CD:…` of a PEM certificate: what people compare. */
export function fingerprint(certificate: string): string {
  return `sha256:${new X509Certificate(certificate).fingerprint256}`
}
