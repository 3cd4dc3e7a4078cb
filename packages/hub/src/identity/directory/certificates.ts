/**
 * Certificates that service principals sign client assertions with (RFC 7523); only the public half is ever here.
 * @module
 */
import { createHash, randomUUID, X509Certificate, type KeyObject } from 'node:crypto'
import type { Kysely, Selectable, Transaction } from 'kysely'
import { limits, SallyportError } from '@sallyport/protocol'
import type { Database } from '../../store/database.ts'
import { endSignIns } from './end-sign-ins.ts'
import { checkedDisplayName } from './names.ts'
import type { ServicePrincipalCertificateTable } from './tables.ts'

/** A certificate of a service principal. */
export interface ServicePrincipalCertificate {
  keyId: string
  objectId: string
  displayName: string | null
  /** Base64url SHA-256 of the DER certificate (`x5t#S256`). */
  thumbprintSha256: string
  /** PEM. */
  certificate: string
  createdAt: number
  expiresAt: number
}

/** A certificate that was read and found fit. */
export interface ReadCertificate {
  thumbprintSha256: string
  pem: string
  expiresAt: number
}

/**
 * Reads a certificate, PEM or base64 of DER or of PEM, as Graph clients send it.
 * @throws SallyportError ERR_ARM_INVALID_REQUEST when it is none, has expired, or has a weak key.
 */
export function readCertificate(text: string, now: number): ReadCertificate {
  const certificate = parse(text)
  if (!isStrongKey(certificate.publicKey)) {
    throw invalid(
      'has a weak key: it must be RSA with at least 2048 bits, or EC P-256, P-384, P-521',
    )
  }
  const expiresAt = certificate.validToDate.getTime()
  if (expiresAt <= now) throw invalid('has expired')
  return {
    thumbprintSha256: createHash('sha256').update(certificate.raw).digest('base64url'),
    pem: certificate.toString(),
    expiresAt,
  }
}

function parse(text: string): X509Certificate {
  const isPem = text.includes('-----BEGIN')
  try {
    return new X509Certificate(isPem ? text : Buffer.from(text, 'base64'))
  } catch (cause) {
    throw invalid('is not an X.509 certificate', cause)
  }
}

function isStrongKey(key: KeyObject): boolean {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key
  if (type === 'rsa') return (details?.modulusLength ?? 0) >= 2048
  const curves = ['prime256v1', 'secp384r1', 'secp521r1']
  return type === 'ec' && curves.includes(details?.namedCurve ?? '')
}

/** Adds a certificate. @throws SallyportError ERR_DIRECTORY_CONFLICT when it is there already, or at the limit. */
export async function insertCertificate(
  trx: Transaction<Database>,
  objectId: string,
  made: { read: ReadCertificate; displayName: string | null; expiresAt?: number; now: number },
): Promise<ServicePrincipalCertificate> {
  const { read, now } = made
  const there = await listCertificates(trx, [objectId])
  if (there.some((each) => each.thumbprintSha256 === read.thumbprintSha256)) {
    throw new SallyportError('ERR_DIRECTORY_CONFLICT', 'this certificate is there already')
  }
  if (there.length >= limits.certificatesPerServicePrincipal) {
    throw new SallyportError(
      'ERR_DIRECTORY_CONFLICT',
      `a service principal has at most ${limits.certificatesPerServicePrincipal} certificates`,
    )
  }
  const row: ServicePrincipalCertificateTable = {
    key_id: randomUUID(),
    object_id: objectId,
    display_name: made.displayName === null ? null : checkedDisplayName(made.displayName),
    thumbprint_sha256: read.thumbprintSha256,
    certificate: read.pem,
    created_at: now,
    expires_at: Math.min(read.expiresAt, made.expiresAt ?? read.expiresAt),
  }
  await trx.insertInto('service_principal_certificates').values(row).execute()
  return toCertificate(row)
}

/** All certificates of these service principals, expired ones too. */
export async function listCertificates(
  db: Kysely<Database>,
  objectIds: string[],
): Promise<ServicePrincipalCertificate[]> {
  if (objectIds.length === 0) return []
  const rows = await db
    .selectFrom('service_principal_certificates')
    .selectAll()
    .where('object_id', 'in', objectIds)
    .orderBy('created_at')
    .orderBy('key_id')
    .execute()
  return rows.map(toCertificate)
}

/** Certificates a client may sign in with now: none when it is unknown or disabled. */
export async function findCertificates(
  db: Kysely<Database>,
  appId: string,
  now: number,
): Promise<ServicePrincipalCertificate[]> {
  const rows = await db
    .selectFrom('service_principal_certificates as certificate')
    .innerJoin('service_principals as principal', 'principal.object_id', 'certificate.object_id')
    .selectAll('certificate')
    .where('principal.app_id', '=', appId.toLowerCase())
    .where('principal.enabled', '=', 1)
    .where('certificate.expires_at', '>', now)
    .execute()
  return rows.map(toCertificate)
}

/** Removes a certificate and ends every sign-in of the principal. @throws SallyportError ERR_DIRECTORY_NOT_FOUND. */
export async function removeCertificate(
  trx: Transaction<Database>,
  objectId: string,
  { keyId, now }: { keyId: string; now: number },
): Promise<void> {
  const result = await trx
    .deleteFrom('service_principal_certificates')
    .where('object_id', '=', objectId)
    .where('key_id', '=', keyId.toLowerCase())
    .executeTakeFirst()
  if (result.numDeletedRows === 0n) {
    throw new SallyportError('ERR_DIRECTORY_NOT_FOUND', 'there is no certificate with this keyId')
  }
  await endSignIns(trx, objectId, { reason: 'certificate removed', now })
}

function toCertificate(
  row: Selectable<ServicePrincipalCertificateTable>,
): ServicePrincipalCertificate {
  return {
    keyId: row.key_id,
    objectId: row.object_id,
    displayName: row.display_name,
    thumbprintSha256: row.thumbprint_sha256,
    certificate: row.certificate,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  }
}

function invalid(what: string, cause?: unknown): SallyportError {
  return new SallyportError('ERR_ARM_INVALID_REQUEST', `the certificate ${what}`, {
    cause,
    target: 'key',
  })
}
