/**
 * Certificates of one run of the local listener: an authority whose key is dropped at once, a server, the one client it lets in.
 * @module
 */
// @peculiar/x509 resolves its parts with tsyringe, which needs the metadata polyfill loaded first.
import 'reflect-metadata'
import { randomBytes, webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'

/** PEM of everything a run needs; the authority's key is not in it. */
export interface LocalCertificates {
  ca: string
  serverCertificate: string
  serverKey: string
  clientCertificate: string
  clientKey: string
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
/** A proxy may run for long; its certificates end with the process, because nobody has the authority's key. */
const validForMs = 365 * 24 * 60 * 60 * 1000
/** Clocks of client programs in containers and VMs run behind. */
const backdateMs = 10 * 60 * 1000

interface Signer {
  name: string
  key: webcrypto.CryptoKey
}

const makeKeys = (): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])

/** Positive, without leading zero (RFC 5280 section 4.1.2.2). */
function serialNumber(): string {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40
  return bytes.toString('hex')
}

async function issue(
  subject: string,
  signer: Signer | undefined,
  extensions: x509.Extension[],
): Promise<{ certificate: string; keys: webcrypto.CryptoKeyPair }> {
  const keys = await makeKeys()
  const now = Date.now()
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject,
    issuer: signer?.name ?? subject,
    notBefore: new Date(now - backdateMs),
    notAfter: new Date(now + validForMs),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey: signer?.key ?? keys.privateKey,
    extensions: [...extensions, await x509.SubjectKeyIdentifierExtension.create(keys.publicKey)],
  })
  return { certificate: `${certificate.toString('pem')}\n`, keys }
}

async function keyPem({ privateKey }: webcrypto.CryptoKeyPair): Promise<string> {
  const der = await webcrypto.subtle.exportKey('pkcs8', privateKey)
  return `${x509.PemConverter.encode(der, 'PRIVATE KEY')}\n`
}

const endEntity = (usage: x509.ExtendedKeyUsage) => [
  new x509.BasicConstraintsExtension(false, undefined, true),
  new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
  new x509.ExtendedKeyUsageExtension([usage]),
]

/** Makes the certificates of one run. */
export async function createLocalCertificates(): Promise<LocalCertificates> {
  const name = `CN=sallyport proxy ${randomBytes(4).toString('hex')}`
  const authority = await issue(name, undefined, [
    new x509.BasicConstraintsExtension(true, 0, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
  ])
  const signer = { name, key: authority.keys.privateKey }
  const server = await issue('CN=127.0.0.1', signer, [
    ...endEntity(x509.ExtendedKeyUsage.serverAuth),
    new x509.SubjectAlternativeNameExtension([
      { type: 'ip', value: '127.0.0.1' },
      { type: 'dns', value: 'localhost' },
    ]),
  ])
  const client = await issue('CN=kubectl', signer, endEntity(x509.ExtendedKeyUsage.clientAuth))
  return {
    ca: authority.certificate,
    serverCertificate: server.certificate,
    serverKey: await keyPem(server.keys),
    clientCertificate: client.certificate,
    clientKey: await keyPem(client.keys),
  }
}
