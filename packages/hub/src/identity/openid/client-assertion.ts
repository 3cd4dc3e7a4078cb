/**
 * Applications that prove themselves by a signed assertion (RFC 7523): their own, signed with the key of a registered certificate, or
 * one of an outside issuer that a federated credential names.
 * @module
 */
import { createHash, X509Certificate } from 'node:crypto'
import { decodeJwt, decodeProtectedHeader, errors, jwtVerify, type JWTPayload } from 'jose'
import { isSallyportError, limits } from '@sallyport/protocol'
import type { Store } from '../../store/store.ts'
import { findCertificates } from '../directory/certificates.ts'
import { findFederatedCredential } from '../directory/federated-credentials.ts'
import { issuerAlgorithms, type RemoteKeys } from '../issuers/remote-keys.ts'
import { rememberOnce } from './oidc-adapter.ts'

/** `client_assertion_type` of both. */
export const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** Algorithms a client may sign its own assertions with. */
export const assertionAlgorithms = ['RS256', 'PS256', 'ES256'] as const

/** What checking needs. */
export interface AssertionParts {
  store: Store
  /** Keys of outside issuers. */
  remoteKeys: RemoteKeys
  now: () => number
}

/** An assertion as it came. */
export interface PresentedAssertion {
  /** `client_id` of the form; an assertion with a certificate names its client itself. */
  clientId: string | null
  assertion: string
  /** Addresses that count as this token endpoint. */
  audiences: string[]
}

/**
 * The client id of whom the assertion proves, undefined when it proves nobody.
 * @throws SallyportError ERR_ISSUER_UNREACHABLE when the keys of the outside issuer cannot be had.
 */
export async function checkClientAssertion(
  parts: AssertionParts,
  presented: PresentedAssertion,
): Promise<string | undefined> {
  if (Buffer.byteLength(presented.assertion) > limits.clientAssertionBytes) return undefined
  try {
    const { iss, sub } = decodeJwt(presented.assertion)
    if (iss === undefined || sub === undefined) return undefined
    const clientId = presented.clientId ?? sub
    return iss === clientId
      ? await checkOwn(parts, clientId, presented)
      : await checkOutside(parts, clientId, presented.assertion)
  } catch (error) {
    if (isSallyportError(error) && error.code === 'ERR_ISSUER_UNREACHABLE') throw error
    if (error instanceof errors.JOSEError || error instanceof TypeError) return undefined
    throw error
  }
}

async function checkOwn(
  parts: AssertionParts,
  clientId: string,
  { assertion, audiences }: PresentedAssertion,
): Promise<string | undefined> {
  const now = parts.now()
  for (const key of await certificateKeys(parts, clientId, assertion)) {
    const payload = await verified(
      jwtVerify(assertion, key, {
        algorithms: [...assertionAlgorithms],
        issuer: clientId,
        subject: clientId,
        audience: audiences,
        requiredClaims: ['exp', 'jti'],
        clockTolerance: limits.clientAssertionSkewMs / 1000,
        currentDate: new Date(now),
      }),
    )
    if (payload === undefined) continue
    const expiresAt = (payload.exp ?? 0) * 1000
    // T-JWT-6, T-JWT-10: one audience, and no assertion for days.
    if (typeof payload.aud !== 'string') return undefined
    if (expiresAt > now + limits.clientAssertionTtlMs + limits.clientAssertionSkewMs) {
      return undefined
    }
    const id = createHash('sha256')
      .update(`${clientId}\n${payload.jti ?? ''}`)
      .digest('base64url')
    const isNew = await rememberOnce(parts.store, {
      model: 'ClientAssertion',
      id,
      expiresAt: expiresAt + limits.clientAssertionSkewMs,
    })
    return isNew ? clientId : undefined
  }
  return undefined
}

/** The payload, or undefined when this key did not sign it. */
async function verified(
  verification: Promise<{ payload: JWTPayload }>,
): Promise<JWTPayload | undefined> {
  try {
    return (await verification).payload
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed) return undefined
    throw error
  }
}

/** Keys of the certificates the header may mean: by `x5t#S256`, by `x5t`, else all. Keys in the header itself are not looked at. */
async function certificateKeys(parts: AssertionParts, clientId: string, assertion: string) {
  const header = decodeProtectedHeader(assertion)
  const sha256 = header['x5t#S256']
  const sha1 = header.x5t
  const certificates = await findCertificates(parts.store.db, clientId, parts.now())
  return certificates
    .map(({ certificate, thumbprintSha256 }) => ({
      certificate: new X509Certificate(certificate),
      thumbprintSha256,
    }))
    .filter(({ certificate, thumbprintSha256 }) => {
      if (sha256 !== undefined) return sha256 === thumbprintSha256
      return sha1 === undefined || sha1 === thumbprintSha1(certificate)
    })
    .map(({ certificate }) => certificate.publicKey)
}

function thumbprintSha1(certificate: X509Certificate): string {
  return createHash('sha1').update(certificate.raw).digest('base64url')
}

/** Nothing is fetched for an issuer that no federated credential of this client names. */
async function checkOutside(
  parts: AssertionParts,
  clientId: string,
  assertion: string,
): Promise<string | undefined> {
  const { iss: issuer = '', sub: subject = '', aud } = decodeJwt(assertion)
  // Kubernetes writes a list of one.
  const audience = Array.isArray(aud) && aud.length === 1 ? aud[0] : aud
  if (typeof audience !== 'string') return undefined
  const named = { appId: clientId, issuer, subject, audience }
  if ((await findFederatedCredential(parts.store.db, named)) === undefined) return undefined
  await jwtVerify(assertion, parts.remoteKeys.keysOf(issuer), {
    algorithms: [...issuerAlgorithms],
    issuer,
    subject,
    audience,
    requiredClaims: ['exp'],
    clockTolerance: limits.clientAssertionSkewMs / 1000,
    currentDate: new Date(parts.now()),
  })
  return clientId
}
