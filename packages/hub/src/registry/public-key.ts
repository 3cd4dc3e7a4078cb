/**
 * `agentPublicKeyCertificate`: the public half of an onboarding key in the encodings clients send.
 * @module
 */
import { X509Certificate, createHash, createPublicKey, type KeyObject } from 'node:crypto'
import { SallyportError } from '@sallyport/protocol'

/** A parsed onboarding key. */
export interface OnboardingKey {
  key: KeyObject
  /** Base64 of the SubjectPublicKeyInfo (DER): one text for one key, whatever it came in. */
  spki: string
  /** Base64url SHA-256 of the SubjectPublicKeyInfo. */
  sha256: string
  /** JWS algorithms a proof by this key may use (RFC 7518). */
  algorithms: string[]
}

const decoders: ((der: Buffer) => KeyObject)[] = [
  (der) => createPublicKey({ key: der, format: 'der', type: 'pkcs1' }),
  (der) => createPublicKey({ key: der, format: 'der', type: 'spki' }),
  (der) => new X509Certificate(der).publicKey,
]

/**
 * Parses base64 of a PKCS#1 RSA key (what Azure clients send), a SubjectPublicKeyInfo, or an X.509 certificate.
 * RSA of 2048 to 8192 bits and P-256 are accepted.
 * @throws SallyportError ERR_ARM_INVALID_REQUEST.
 */
export function parseOnboardingKey(text: string): OnboardingKey {
  const base64 = text.replaceAll(/[\r\n]/g, '')
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) throw refused('it is not base64')
  const der = Buffer.from(base64, 'base64')
  for (const decode of decoders) {
    const key = attempt(decode, der)
    if (key !== undefined) return describe(key)
  }
  throw refused('it is neither a PKCS#1 or SPKI public key nor an X.509 certificate')
}

function attempt(decode: (der: Buffer) => KeyObject, der: Buffer): KeyObject | undefined {
  try {
    return decode(der)
  } catch {
    return undefined
  }
}

function describe(key: KeyObject): OnboardingKey {
  const spki = key.export({ format: 'der', type: 'spki' })
  return {
    key,
    spki: spki.toString('base64'),
    sha256: createHash('sha256').update(spki).digest('base64url'),
    algorithms: algorithmsOf(key),
  }
}

function algorithmsOf(key: KeyObject): string[] {
  const details = key.asymmetricKeyDetails
  if (key.asymmetricKeyType === 'ec' && details?.namedCurve === 'prime256v1') return ['ES256']
  const bits = details?.modulusLength ?? 0
  if (key.asymmetricKeyType === 'rsa' && bits >= 2048 && bits <= 8192) return ['RS256', 'PS256']
  throw refused('the key must be RSA of 2048 to 8192 bits or P-256')
}

function refused(why: string): SallyportError {
  return new SallyportError(
    'ERR_ARM_INVALID_REQUEST',
    `'properties.agentPublicKeyCertificate' cannot be used: ${why}`,
    { target: 'properties.agentPublicKeyCertificate' },
  )
}
