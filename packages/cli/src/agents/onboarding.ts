/**
 * The onboarding key: its public half goes to the hub, its private half only into the agent's state directory.
 * @module
 */
import { createHash, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { rmSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  AgentStateSchema,
  agentStateFiles,
  type AgentState,
  type EnrolmentFile,
} from '@sallyport/protocol'
import { readPrivateFile, writePrivateFile } from '../credentials/private-file.ts'
import { parseState } from '../credentials/profile.ts'

/** A fresh P-256 key pair. */
export interface OnboardingKey {
  /** SubjectPublicKeyInfo, DER, base64: `agentPublicKeyCertificate`. */
  publicKey: string
  /** PKCS#8 PEM. */
  privateKey: string
}

/** Makes a key pair. */
export function createOnboardingKey(): OnboardingKey {
  const { publicKey, privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  return { publicKey: publicKey.toString('base64'), privateKey }
}

/** Leaves the enrolment for the agent. */
export function writeEnrolment(stateDirectory: string, enrolment: EnrolmentFile): void {
  const path = join(stateDirectory, agentStateFiles.enrolment)
  writePrivateFile(path, `${JSON.stringify(enrolment, undefined, 2)}\n`)
}

/** What an enrolled agent knows; undefined before. @throws SallyportError ERR_STATE_INVALID. */
export function readAgentState(stateDirectory: string): AgentState | undefined {
  const path = join(stateDirectory, agentStateFiles.agent)
  const text = readPrivateFile(path)
  return text === undefined ? undefined : parseState(AgentStateSchema, path, text)
}

/** Removes what agent and `connect` wrote into a state directory, and the directory when nothing else is in it. */
export function removeState(stateDirectory: string, logFile: string): void {
  for (const name of Object.values(agentStateFiles))
    rmSync(join(stateDirectory, name), { force: true })
  rmSync(logFile, { force: true })
  try {
    rmdirSync(stateDirectory)
  } catch {
    // Somebody else keeps files there, or it is gone.
  }
}

/** SHA-256 of the agent's link key, base64url: what `known_clusters` pins. */
export function agentKeySha256(state: AgentState): string {
  const { publicKey } = new X509Certificate(state.linkCertificate)
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64url')
}
