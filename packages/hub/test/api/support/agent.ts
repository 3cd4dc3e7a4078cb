/**
 * The agent's side of enrolment and assertions, as an agent does it.
 * @module
 */
import { createHash, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto'
import { SignJWT, exportJWK } from 'jose'
import { agentApiPaths, agentAssertionType, enrolmentProofType } from '@sallyport/protocol'
import type { Answer, ApiFixture } from './api-fixture.ts'

/** An onboarding key as `connect` makes it. */
export interface OnboardingPair {
  privateKey: KeyObject
  algorithm: string
  /** `agentPublicKeyCertificate`. */
  certificate: string
}

/** P-256, SPKI. */
export function ecOnboardingKey(): OnboardingPair {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const certificate = publicKey.export({ format: 'der', type: 'spki' }).toString('base64')
  return { privateKey, algorithm: 'ES256', certificate }
}

/** RSA, PKCS#1, as Azure clients send it. */
export function rsaOnboardingKey(modulusLength = 2048): OnboardingPair {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength })
  const certificate = publicKey.export({ format: 'der', type: 'pkcs1' }).toString('base64')
  return { privateKey, algorithm: 'RS256', certificate }
}

/** The keys an agent makes for itself. */
export interface AgentKeys {
  privateKey: KeyObject
  publicKey: KeyObject
  linkKeySha256: string
}

export function agentKeys(): AgentKeys {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const linkKeySha256 = createHash('sha256').update(randomBytes(32)).digest('base64url')
  return { privateKey, publicKey, linkKeySha256 }
}

/** What a proof says; tests spoil single parts. */
export interface ProofParts {
  clusterId: string
  onboarding: OnboardingPair
  keys: AgentKeys
  kubernetesUid?: string
  aud?: string
  typ?: string
  iat?: number
  ttl?: number
  algorithm?: string
}

export async function makeProof(api: ApiFixture, parts: ProofParts): Promise<string> {
  const iat = parts.iat ?? Math.floor(api.clock.now / 1000)
  const { x, y } = await exportJWK(parts.keys.publicKey)
  return new SignJWT({
    agentKey: { kty: 'EC', crv: 'P-256', x, y },
    linkKeySha256: parts.keys.linkKeySha256,
    kubernetesUid: parts.kubernetesUid ?? 'uid-1',
  })
    .setProtectedHeader({
      alg: parts.algorithm ?? parts.onboarding.algorithm,
      typ: parts.typ ?? enrolmentProofType,
    })
    .setAudience(parts.aud ?? api.url)
    .setSubject(parts.clusterId)
    .setIssuedAt(iat)
    .setExpirationTime(iat + (parts.ttl ?? 300))
    .setJti(randomBytes(16).toString('base64url'))
    .sign(parts.onboarding.privateKey)
}

export async function enrol(api: ApiFixture, parts: ProofParts): Promise<Answer> {
  const body = { proof: await makeProof(api, parts) }
  return api.call('POST', agentApiPaths.enrol, { body, token: undefined })
}

/** What an assertion says; tests spoil single parts. */
export interface AssertionParts {
  agentId: string
  key: KeyObject
  aud?: string
  typ?: string
  iat?: number
  ttl?: number
  jti?: string
  sub?: string
}

export async function makeAssertion(api: ApiFixture, parts: AssertionParts): Promise<string> {
  const iat = parts.iat ?? Math.floor(api.clock.now / 1000)
  return new SignJWT()
    .setProtectedHeader({ alg: 'ES256', typ: parts.typ ?? agentAssertionType })
    .setIssuer(parts.agentId)
    .setSubject(parts.sub ?? parts.agentId)
    .setAudience(parts.aud ?? api.url)
    .setIssuedAt(iat)
    .setExpirationTime(iat + (parts.ttl ?? 60))
    .setJti(parts.jti ?? randomBytes(12).toString('base64url'))
    .sign(parts.key)
}

/** Path of a cluster. */
export function clusterPath(api: ApiFixture, group: string, name: string): string {
  return `/subscriptions/${api.subscriptionId}/resourceGroups/${group}/providers/Microsoft.Kubernetes/connectedClusters/${name}`
}

/** Makes a resource group. */
export async function putGroup(api: ApiFixture, group: string): Promise<void> {
  const path = `/subscriptions/${api.subscriptionId}/resourceGroups/${group}`
  const answer = await api.call('PUT', path, { body: { location: 'local' } })
  if (answer.status > 201) throw new Error(`put group: ${String(answer.status)}`)
}

/** Makes a cluster. */
export async function putCluster(
  api: ApiFixture,
  path: string,
  onboarding: OnboardingPair,
): Promise<Answer> {
  return api.call('PUT', path, {
    body: {
      location: 'local',
      identity: { type: 'SystemAssigned' },
      properties: { agentPublicKeyCertificate: onboarding.certificate },
    },
  })
}

/** A cluster whose agent has enrolled. */
export async function enrolledCluster(api: ApiFixture, group: string, name: string) {
  const onboarding = ecOnboardingKey()
  const path = clusterPath(api, group, name)
  await putGroup(api, group)
  await putCluster(api, path, onboarding)
  const keys = agentKeys()
  const answer = await enrol(api, { clusterId: path, onboarding, keys })
  if (answer.status !== 200) throw new Error(`enrol: ${JSON.stringify(answer.body)}`)
  const agentId = (answer.body as { agentId: string }).agentId
  return { path, onboarding, keys, agentId }
}

/** Sends a heartbeat of a running, listening agent with `changes`. */
export async function heartbeat(
  api: ApiFixture,
  agent: { agentId: string; keys: AgentKeys },
  changes: Record<string, unknown> = {},
): Promise<Answer> {
  const body = {
    instance: 'instance-1',
    state: 'running',
    agentVersion: '0.1.0',
    listening: true,
    ...changes,
  }
  const token = await makeAssertion(api, { agentId: agent.agentId, key: agent.keys.privateKey })
  return api.call('POST', agentApiPaths.heartbeat, { body, token })
}
