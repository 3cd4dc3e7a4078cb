/**
 * The agent's two keys: one signs assertions to the hub, one is the pinned key of the link. Made here, never sent.
 * @module
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { SallyportError, type AgentKeys, type EnrolmentClaims } from '@sallyport/protocol'
import { createLinkIdentity } from '@sallyport/tunnel'

/** The certificate only carries the key, which clients pin; it has to outlive years without contact (design.md section 5). */
const linkCertificateMs = 20 * 365 * 24 * 3_600_000

/** Makes both keys. */
export async function createAgentKeys(): Promise<AgentKeys> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const link = await createLinkIdentity({
    commonName: 'sallyport-agent',
    validForMs: linkCertificateMs,
  })
  return {
    agentKey: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    linkKey: link.privateKey,
    linkCertificate: link.certificate,
  }
}

/** Reads a private key of the state. @throws SallyportError ERR_STATE_INVALID. */
export function readPrivateKey(pem: string, what: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch (cause) {
    throw new SallyportError('ERR_STATE_INVALID', `${what} cannot be read`, { cause })
  }
}

/** Public half of the assertion key as the enrolment proof carries it. */
export function publicJwk(key: KeyObject): EnrolmentClaims['agentKey'] {
  const { x = '', y = '' } = createPublicKey(key).export({ format: 'jwk' })
  return { kty: 'EC', crv: 'P-256', x, y }
}

/** JWS algorithm of an onboarding key. @throws SallyportError ERR_STATE_INVALID for keys the hub would not take. */
export function onboardingAlgorithm(key: KeyObject): 'ES256' | 'PS256' {
  if (key.asymmetricKeyType === 'rsa') return 'PS256'
  if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return 'ES256'
  throw new SallyportError('ERR_STATE_INVALID', 'the onboarding key is neither RSA nor P-256')
}
