/**
 * First start: from the onboarding key to an enrolled agent. Every step can be repeated after a crash.
 * @module
 */
import { randomUUID } from 'node:crypto'
import {
  AgentKeysSchema,
  AgentStateSchema,
  agentStateFiles,
  EnrolmentFileSchema,
  enrolmentProofType,
  EnrolmentResponseSchema,
  limits,
  parser,
  SallyportError,
  type AgentKeys,
  type AgentState,
  type EnrolmentFile,
  type EnrolmentResponse,
} from '@sallyport/protocol'
import { loadLinkIdentity } from '@sallyport/tunnel'
import { SignJWT } from 'jose'
import { createAgentKeys, onboardingAlgorithm, publicJwk, readPrivateKey } from './agent-keys.ts'
import { readStateFile, removeStateFile, writeStateFile } from './state-files.ts'

/** What enrolling needs of the world. */
export interface EnrolmentParts {
  directory: string
  /** UID of namespace kube-system; waits for the API server as long as it takes. */
  kubernetesUid: (signal: AbortSignal) => Promise<string>
  /** Sends a proof, a fresh one for each attempt, while the failure is of a kind that passes. */
  redeem: (file: EnrolmentFile, prove: () => Promise<string>) => Promise<unknown>
  /** Told when a leftover enrolment was refused although the agent is enrolled. */
  onRefused: (error: SallyportError) => void
  signal: AbortSignal
}

const parseResponse = parser(EnrolmentResponseSchema, 'answer of the hub', 'ERR_ENROLMENT_REFUSED')

/** Reads what enrolment settled; undefined before. @throws SallyportError ERR_STATE_INVALID, ERR_FILE_ACCESS. */
export function readAgentState(directory: string): Promise<AgentState | undefined> {
  return readStateFile(directory, agentStateFiles.agent, AgentStateSchema)
}

/** Whether `connect` has left a new enrolment. @throws SallyportError ERR_STATE_INVALID, ERR_FILE_ACCESS. */
export function readEnrolment(directory: string): Promise<EnrolmentFile | undefined> {
  return readStateFile(directory, agentStateFiles.enrolment, EnrolmentFileSchema)
}

/**
 * The enrolled state: as it is, or after redeeming the enrolment `connect` left, with the keys there already are.
 * @throws SallyportError ERR_AGENT_UNKNOWN (never enrolled), ERR_ENROLMENT_REFUSED, ERR_CLUSTER_ALREADY_CONNECTED, ERR_STATE_INVALID.
 */
export async function ensureEnrolled(parts: EnrolmentParts): Promise<AgentState> {
  const { directory } = parts
  const enrolled = await readAgentState(directory)
  const file = await readEnrolment(directory)
  if (file === undefined) {
    if (enrolled === undefined)
      throw new SallyportError('ERR_AGENT_UNKNOWN', `${directory} holds no enrolment`)
    await removeStateFile(directory, agentStateFiles.keys)
    return enrolled
  }
  try {
    return await redeem(parts, file, enrolled ?? (await provideKeys(directory)))
  } catch (error) {
    const isSame = enrolled?.clusterId === file.clusterId && enrolled.hub === file.hub
    if (!isSame || !(error instanceof SallyportError) || error.code !== 'ERR_ENROLMENT_REFUSED')
      throw error
    // An old enrolment file of the cluster the agent already serves: its key is of no more use.
    parts.onRefused(error)
    await removeStateFile(directory, agentStateFiles.enrolment)
    return enrolled
  }
}

/** Keys are on disk before the hub hears of them: a lost answer is fetched again with the same ones (X088). */
async function provideKeys(directory: string): Promise<AgentKeys> {
  const before = await readStateFile(directory, agentStateFiles.keys, AgentKeysSchema)
  if (before !== undefined) return before
  const keys = await createAgentKeys()
  await writeStateFile(directory, agentStateFiles.keys, keys)
  return keys
}

async function redeem(
  parts: EnrolmentParts,
  file: EnrolmentFile,
  keys: AgentKeys,
): Promise<AgentState> {
  const { directory, signal } = parts
  const { agentKey, linkKey, linkCertificate } = keys
  const kubernetesUid = await parts.kubernetesUid(signal)
  const prove = (): Promise<string> => signProof(file, keys, kubernetesUid)
  const answer = parseResponse(await parts.redeem(file, prove))
  checkAnswer(file, answer)
  const state: AgentState = {
    hub: file.hub,
    ...(file.ca === undefined ? {} : { ca: file.ca }),
    clusterId: file.clusterId,
    agentId: answer.agentId,
    issuer: answer.issuer,
    clusterTokenKeys: answer.clusterTokenKeys,
    agentKey,
    linkKey,
    linkCertificate,
  }
  await writeStateFile(directory, agentStateFiles.agent, state)
  await removeStateFile(directory, agentStateFiles.enrolment)
  await removeStateFile(directory, agentStateFiles.keys)
  return state
}

function checkAnswer(file: EnrolmentFile, answer: EnrolmentResponse): void {
  if (answer.clusterId.toLowerCase() !== file.clusterId.toLowerCase())
    throw new SallyportError('ERR_ENROLMENT_REFUSED', 'the hub enrolled another cluster')
}

async function signProof(
  file: EnrolmentFile,
  keys: AgentKeys,
  kubernetesUid: string,
): Promise<string> {
  const onboardingKey = readPrivateKey(file.onboardingKey, 'the onboarding key')
  const agentKey = readPrivateKey(keys.agentKey, 'the key of the agent')
  const link = loadLinkIdentity({ certificate: keys.linkCertificate, privateKey: keys.linkKey })
  const now = Math.floor(Date.now() / 1000)
  return new SignJWT({
    agentKey: publicJwk(agentKey),
    linkKeySha256: link.keySha256,
    kubernetesUid,
  })
    .setProtectedHeader({ alg: onboardingAlgorithm(onboardingKey), typ: enrolmentProofType })
    .setAudience(file.hub)
    .setSubject(file.clusterId)
    .setIssuedAt(now)
    .setExpirationTime(now + limits.agentAssertionTtlMs / 1000)
    .setJti(randomUUID())
    .sign(onboardingKey)
}
