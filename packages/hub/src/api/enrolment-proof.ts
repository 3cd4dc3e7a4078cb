/**
 * The proof an agent enrols with: signed by the onboarding key whose public half the cluster resource carries.
 * @module
 */
import { createPublicKey } from 'node:crypto'
import { calculateJwkThumbprint, decodeJwt, errors, jwtVerify } from 'jose'
import {
  EnrolmentClaimsSchema,
  SallyportError,
  enrolmentProofType,
  limits,
  parseClusterId,
  parser,
  type EnrolmentClaims,
} from '@sallyport/protocol'
import { clusterKey } from '../registry/clusters.ts'
import { findEnrolment, refused, type Redemption } from '../registry/enrolment.ts'
import { parseOnboardingKey, type OnboardingKey } from '../registry/public-key.ts'
import type { ApiContext } from './context.ts'

const parseClaims = parser(EnrolmentClaimsSchema, 'enrolment proof', 'ERR_ENROLMENT_REFUSED')

type Parts = Pick<ApiContext, 'store' | 'publicUrl' | 'now'>

/**
 * Checks a proof: signature by the onboarding key of the cluster it names, type, audience, time, keys.
 * @throws SallyportError ERR_ENROLMENT_REFUSED, with a reason only for a holder of the onboarding key.
 */
export async function checkProof(parts: Parts, proof: string): Promise<Redemption> {
  const key = claimedCluster(proof)
  const enrolment = await findEnrolment(parts.store.db, key)
  if (enrolment === undefined) throw refused()
  const onboarding = parseOnboardingKey(enrolment.public_key)
  const claims = await verify(parts, proof, onboarding)
  const { kty, crv, x, y } = claims.agentKey
  const agentKey = { kty, crv, x, y }
  return {
    clusterKey: key,
    onboardingKeySha256: enrolment.key_sha256,
    agentKey: JSON.stringify(agentKey),
    agentKeySha256: await calculateJwkThumbprint(agentKey),
    linkKeySha256: claims.linkKeySha256,
    kubernetesUid: claims.kubernetesUid,
    now: parts.now(),
  }
}

/** Key of the cluster the proof names; nothing is believed yet. */
function claimedCluster(proof: string): string {
  try {
    return clusterKey(parseClusterId(decodeJwt(proof).sub ?? ''))
  } catch (cause) {
    throw refused(cause)
  }
}

async function verify(
  parts: Parts,
  proof: string,
  onboarding: OnboardingKey,
): Promise<EnrolmentClaims> {
  const now = parts.now()
  try {
    const { payload } = await jwtVerify(proof, onboarding.key, {
      algorithms: onboarding.algorithms,
      typ: enrolmentProofType,
      audience: parts.publicUrl,
      requiredClaims: ['exp', 'iat', 'jti', 'sub'],
      clockTolerance: limits.clusterTokenSkewMs / 1000,
      currentDate: new Date(now),
    })
    const claims = parseClaims(payload)
    const ahead = claims.iat * 1000 > now + limits.clusterTokenSkewMs
    if (ahead || claims.exp - claims.iat > limits.enrolmentProofTtlMs / 1000) throw untimely(now)
    // Throws for a point that is not on the curve.
    createPublicKey({ key: claims.agentKey, format: 'jwk' })
    return claims
  } catch (error) {
    if (error instanceof SallyportError) throw error
    if (error instanceof errors.JWTExpired) throw untimely(now, error)
    throw refused(error)
  }
}

function untimely(now: number, cause?: unknown): SallyportError {
  return new SallyportError('ERR_ENROLMENT_REFUSED', 'this enrolment is not possible', {
    cause,
    why: `the proof is outside its time; the clock of the hub is ${new Date(now).toISOString()}`,
    remedy: 'set the clock of the machine of the agent (use NTP), then start the agent again',
  })
}
