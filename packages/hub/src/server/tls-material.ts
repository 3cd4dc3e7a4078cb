/**
 * The certificate the server shows: read from the files of the owner, or minted and kept in the data directory.
 * @module
 */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { isIP } from 'node:net'
import { limits, SallyportError } from '@sallyport/protocol'
import { isWildcard, type ServerConfig } from '../config/server-config.ts'
import {
  fingerprint,
  mintAuthority,
  mintServerCertificate,
  type KeyedCertificate,
} from './certificate-authority.ts'
import { dataPath, fileError, readPrivateFile, writePrivateFile } from './data-directory.ts'

/** What the server shows and what people compare. */
export interface TlsMaterial {
  /** PEM chain, server certificate first, the CA of a minted one last. */
  certificate: string
  key: string
  passphrase?: string
  /** `CA` for our own, `certificate` for one given by the owner. */
  fingerprintOf: 'CA' | 'certificate'
  fingerprint: string
  /** PEM of the CA; undefined for a certificate given by the owner. */
  authority: string | undefined
  minted: boolean
}

/**
 * Loads or mints the certificate; called at start and again in regular intervals.
 * @throws SallyportError ERR_CONFIG_INVALID (the owner's files), ERR_STATE_INVALID (ours damaged), ERR_FILE_ACCESS, ERR_STORE_FULL.
 */
export async function loadTlsMaterial(
  config: ServerConfig,
  names: string[],
  now: Date,
): Promise<TlsMaterial> {
  if (config.tlsFiles !== undefined) return readOwnerFiles(config.tlsFiles)
  const authority = await ownAuthority(config.dataDirectory, now)
  const path = dataPath(config.dataDirectory, 'tls', 'server.pem')
  const kept = readPrivateFile(path)
  const usable = kept === undefined ? undefined : splitIfUsable(kept, authority, { names, now })
  const server = usable ?? (await mintServerCertificate(authority, names, now))
  if (usable === undefined) writePrivateFile(path, server.key + server.certificate)
  return {
    certificate: server.certificate + authority.certificate,
    key: server.key,
    fingerprintOf: 'CA',
    fingerprint: fingerprint(authority.certificate),
    authority: authority.certificate,
    minted: usable === undefined,
  }
}

/** Names of a minted certificate, sorted, without duplicates. */
export function certificateNames(config: ServerConfig, publicUrl: string): string[] {
  const names = ['localhost', '127.0.0.1', '::1', hostname(), ...config.extraNames]
  if (!isWildcard(config.listen.host)) names.push(config.listen.host)
  names.push(new URL(publicUrl).hostname.replaceAll(/[[\]]/g, ''))
  return [...new Set(names.map((name) => name.toLowerCase()))].sort()
}

async function ownAuthority(dataDirectory: string, now: Date): Promise<KeyedCertificate> {
  const path = dataPath(dataDirectory, 'tls', 'ca.pem')
  const kept = readPrivateFile(path)
  if (kept !== undefined) {
    const authority = split(kept)
    if (authority === undefined) {
      throw new SallyportError('ERR_STATE_INVALID', `${path} is not a key with its certificate`, {
        remedy: `restore ${path} from a backup; without it every client has to trust a new CA`,
      })
    }
    if (new X509Certificate(authority.certificate).validToDate > now) return authority
  }
  const authority = await mintAuthority(now)
  writePrivateFile(path, authority.key + authority.certificate)
  writePrivateFile(dataPath(dataDirectory, 'ca.crt'), authority.certificate)
  return authority
}

/** Splits "key, certificate" PEM; undefined unless they belong together. */
function split(pem: string): KeyedCertificate | undefined {
  const [key] = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----\n?/.exec(pem) ?? []
  const [certificate] =
    /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/.exec(pem) ?? []
  if (key === undefined || certificate === undefined) return undefined
  try {
    const matches = new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))
    return matches ? { key, certificate } : undefined
  } catch {
    return undefined
  }
}

function splitIfUsable(
  pem: string,
  authority: KeyedCertificate,
  wanted: { names: string[]; now: Date },
): KeyedCertificate | undefined {
  const server = split(pem)
  if (server === undefined) return undefined
  const certificate = new X509Certificate(server.certificate)
  const renewAt = certificate.validToDate.getTime() - limits.serverCertificateRenewBeforeMs
  const issued = certificate.verify(new X509Certificate(authority.certificate).publicKey)
  const covers = wanted.names.every((name) =>
    isIP(name) === 0
      ? certificate.checkHost(name, { subject: 'never' }) !== undefined
      : certificate.checkIP(name) !== undefined,
  )
  const count = certificate.subjectAltName?.split(', ').length
  const current = wanted.now.getTime() < renewAt && wanted.now >= certificate.validFromDate
  return issued && covers && current && count === wanted.names.length ? server : undefined
}

function readOwnerFiles(files: NonNullable<ServerConfig['tlsFiles']>): TlsMaterial {
  const read = (path: string): string => {
    try {
      return readFileSync(path, 'utf8')
    } catch (error) {
      throw fileError(path, 'read', error)
    }
  }
  const material = { certificate: read(files.certificate), key: read(files.key) }
  const passphrase = files.passphrase?.reveal()
  const wrong = (why: string, cause?: unknown): SallyportError =>
    new SallyportError('ERR_CONFIG_INVALID', why, { cause })
  let certificate: X509Certificate
  try {
    certificate = new X509Certificate(material.certificate)
  } catch (cause) {
    throw wrong(`--tls-certificate-file ${files.certificate} is not a PEM certificate`, cause)
  }
  let matches: boolean
  try {
    matches = certificate.checkPrivateKey(
      createPrivateKey({ key: material.key, ...(passphrase === undefined ? {} : { passphrase }) }),
    )
  } catch (cause) {
    throw wrong(
      `--tls-key-file ${files.key} is not a PEM key that opens with the passphrase`,
      cause,
    )
  }
  if (!matches) throw wrong('the TLS key does not belong to the TLS certificate')
  return {
    ...material,
    ...(passphrase === undefined ? {} : { passphrase }),
    fingerprintOf: 'certificate',
    fingerprint: `sha256:${certificate.fingerprint256}`,
    authority: undefined,
    minted: false,
  }
}
