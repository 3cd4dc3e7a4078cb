/**
 * A client certificate as proof of an application: a signed assertion in place of a secret (RFC 7523, private_key_jwt).
 * @module
 */
import { X509Certificate, createPrivateKey, randomUUID, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { SallyportError } from '@sallyport/protocol'
import { fileError } from '../credentials/file-error.ts'

/** Longer than a request takes, shorter than anybody could use a stolen one. */
const lifetimeSeconds = 120

/** Certificate and key of one PEM file. */
export interface ClientCertificate {
  certificate: X509Certificate
  key: KeyObject
  algorithm: 'PS256' | 'ES256'
}

/** Reads a PEM file with certificate and private key. @throws SallyportError ERR_FILE_ACCESS, ERR_USAGE naming what is wrong with it. */
export function readClientCertificate(path: string, now = Date.now()): ClientCertificate {
  let pem: string
  try {
    pem = readFileSync(path, 'utf8')
  } catch (error) {
    throw fileError(path, 'read', error)
  }
  const [certificatePem] =
    /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(pem) ?? []
  const [keyPem] =
    /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----[\s\S]+?-----END (?:[A-Z]+ )?PRIVATE KEY-----/.exec(
      pem,
    ) ?? []
  if (certificatePem === undefined) throw unusable(path, 'it holds no PEM certificate')
  if (keyPem === undefined) throw unusable(path, 'it holds no PEM private key')
  let certificate: X509Certificate
  let key: KeyObject
  try {
    certificate = new X509Certificate(certificatePem)
    key = createPrivateKey(keyPem)
  } catch {
    throw unusable(path, 'certificate or key cannot be read; an encrypted key is not supported')
  }
  if (!certificate.checkPrivateKey(key))
    throw unusable(path, 'the key is not that of the certificate')
  if (certificate.validToDate.getTime() < now)
    throw unusable(path, `the certificate expired at ${certificate.validToDate.toISOString()}`)
  return { certificate, key, algorithm: algorithmOf(path, key) }
}

function algorithmOf(path: string, key: KeyObject): ClientCertificate['algorithm'] {
  if (key.asymmetricKeyType === 'rsa') return 'PS256'
  const curve = key.asymmetricKeyDetails?.namedCurve
  if (key.asymmetricKeyType === 'ec' && curve === 'prime256v1') return 'ES256'
  throw unusable(path, 'its key is neither RSA nor on the curve P-256')
}

function unusable(path: string, why: string): SallyportError {
  return new SallyportError('ERR_USAGE', `${path} cannot prove who you are`, {
    why,
    remedy: 'give a PEM file with the certificate and its private key: --certificate FILE',
    target: path,
  })
}

/** Signs an assertion for one request to the token endpoint. */
export async function signAssertion(
  { certificate, key, algorithm }: ClientCertificate,
  claims: { clientId: string; audience: string },
): Promise<string> {
  const { SignJWT } = await import('jose')
  const thumbprint = Buffer.from(certificate.fingerprint256.replaceAll(':', ''), 'hex')
  const seconds = Math.floor(Date.now() / 1000)
  return new SignJWT()
    .setProtectedHeader({
      alg: algorithm,
      typ: 'JWT',
      'x5t#S256': thumbprint.toString('base64url'),
    })
    .setIssuer(claims.clientId)
    .setSubject(claims.clientId)
    .setAudience(claims.audience)
    .setJti(randomUUID())
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + lifetimeSeconds)
    .sign(key)
}
