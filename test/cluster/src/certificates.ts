/**
 * The cluster's own certificate authority and the certificates of its programs.
 * @module
 */
import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as x509 from '@peculiar/x509'

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const hourMs = 3_600_000
/** A sandbox may stay up for long, and tests move clocks. */
const lifetimeMs = 365 * 24 * hourMs

/** Paths of a certificate and its key, both PEM; the key has mode 0600. */
export interface KeyPairFiles {
  certificate: string
  key: string
}

/** Who a certificate is for. */
export interface CertificateRequest {
  /** File name without ending. */
  name: string
  commonName: string
  organization?: string
  /** DNS names and IP addresses; a certificate with any is a server's too. */
  hosts?: readonly string[]
}

/** A certificate authority whose certificates are written below one directory. */
export interface Authority extends KeyPairFiles {
  directory: string
  issue(request: CertificateRequest): Promise<KeyPairFiles>
}

async function writeKey(file: string, key: webcrypto.CryptoKey): Promise<void> {
  const content = await webcrypto.subtle.exportKey('pkcs8', key)
  await writeFile(file, x509.PemConverter.encode(content, 'PRIVATE KEY') + '\n', { mode: 0o600 })
}

const generateKeys = async (): Promise<webcrypto.CryptoKeyPair> =>
  await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])

const validity = (): { notBefore: Date; notAfter: Date } => ({
  notBefore: new Date(Date.now() - hourMs),
  notAfter: new Date(Date.now() + lifetimeMs),
})

function extensionsOf(request: CertificateRequest): x509.Extension[] {
  const hosts = request.hosts ?? []
  const names = hosts.map((value) => ({
    type: /^[\d.]+$|:/.test(value) ? ('ip' as const) : ('dns' as const),
    value,
  }))
  const usages = [x509.ExtendedKeyUsage.clientAuth]
  if (hosts.length > 0) usages.push(x509.ExtendedKeyUsage.serverAuth)
  return [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    new x509.ExtendedKeyUsageExtension(usages),
    ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
  ]
}

/** Makes a new authority in `directory` (created, mode 0700). */
export async function createAuthority(directory: string): Promise<Authority> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const files = (name: string): KeyPairFiles => ({
    certificate: join(directory, `${name}.crt`),
    key: join(directory, `${name}.key`),
  })
  const keys = await generateKeys()
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity(),
    name: [{ CN: ['sallyport-cluster-ca'] }],
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign |
          x509.KeyUsageFlags.cRLSign |
          x509.KeyUsageFlags.digitalSignature,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  await writeFile(files('ca').certificate, root.toString('pem') + '\n')
  await writeKey(files('ca').key, keys.privateKey)
  const issue = async (request: CertificateRequest): Promise<KeyPairFiles> => {
    const subject = await generateKeys()
    const organization = request.organization === undefined ? [] : [{ O: [request.organization] }]
    const certificate = await x509.X509CertificateGenerator.create({
      ...validity(),
      subject: [...organization, { CN: [request.commonName] }],
      issuer: root.subjectName,
      publicKey: subject.publicKey,
      signingKey: keys.privateKey,
      signingAlgorithm: algorithm,
      extensions: extensionsOf(request),
    })
    const written = files(request.name)
    await writeFile(written.certificate, certificate.toString('pem') + '\n')
    await writeKey(written.key, subject.privateKey)
    return written
  }
  return { ...files('ca'), directory, issue }
}

/** Makes the key pair that signs service account tokens. */
export async function createTokenKeys(directory: string): Promise<{ key: string; public: string }> {
  const written = {
    key: join(directory, 'service-accounts.key'),
    public: join(directory, 'service-accounts.pub'),
  }
  const keys = await generateKeys()
  await writeKey(written.key, keys.privateKey)
  const content = await webcrypto.subtle.exportKey('spki', keys.publicKey)
  await writeFile(written.public, x509.PemConverter.encode(content, 'PUBLIC KEY') + '\n')
  return written
}
