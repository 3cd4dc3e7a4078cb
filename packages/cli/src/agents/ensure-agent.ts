/**
 * One agent process for one state directory: the one that runs, or a new one.
 * @module
 */
import { statSync } from 'node:fs'
import type { ProcessIdentity } from '../credentials/process-identity.ts'
import { startAgent, stopProcess, type AgentStart } from './agent-process.ts'
import {
  isAgentRunning,
  readAgentRecord,
  removeAgentRecord,
  type AgentRecord,
} from './agent-record.ts'
import { removeState } from './onboarding.ts'

/** The process that now runs. */
export interface EnsuredAgent {
  identity: ProcessIdentity
  isNew: boolean
  /** Bytes of the log that are older than this process. */
  logOffset: number
}

/** Identity of the process of a record. */
export function recordedProcess({ pid, started }: AgentRecord): ProcessIdentity | undefined {
  if (pid === undefined) return undefined
  return { pid, ...(started === undefined ? {} : { started }) }
}

/** Keeps a running agent that was started the same way, else starts one; an old one is stopped first. */
export async function ensureAgent(options: {
  record: AgentRecord | undefined
  /** It has to read a new enrolment. */
  mustRestart: boolean
  start: AgentStart
}): Promise<EnsuredAgent> {
  const { record, start, mustRestart } = options
  const identity = record === undefined ? undefined : recordedProcess(record)
  if (record !== undefined && identity !== undefined && isAgentRunning(record)) {
    const isSame =
      record.stateDirectory === start.stateDirectory &&
      record.kubeconfig === start.kubeconfig &&
      record.context === start.context
    if (isSame && !mustRestart) return { identity, isNew: false, logOffset: sizeOf(start.logFile) }
    await stopProcess(identity)
  }
  const logOffset = sizeOf(start.logFile)
  return { identity: await startAgent(start), isNew: true, logOffset }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

/** Stops the agent of a cluster and removes its state and record; whether there was one. */
export async function forgetAgent(configDirectory: string, clusterId: string): Promise<boolean> {
  const record = await readAgentRecord(configDirectory, clusterId)
  if (record === undefined) return false
  const identity = recordedProcess(record)
  if (identity !== undefined) await stopProcess(identity)
  removeState(record.stateDirectory, record.logFile)
  await removeAgentRecord(configDirectory, clusterId)
  return true
}
