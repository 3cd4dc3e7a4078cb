/**
 * One agent process for one state directory: the one that runs, or a new one.
 * @module
 */
import { rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { agentStateFiles } from '@sallyport/protocol'
import { readOpenFile } from '../credentials/private-file.ts'
import { identify, type ProcessIdentity } from '../credentials/process-identity.ts'
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
  const logOffset = sizeOf(start.logFile)
  const recorded = record === undefined ? undefined : recordedProcess(record)
  if (record !== undefined && recorded !== undefined && isAgentRunning(record)) {
    const isSame =
      record.stateDirectory === start.stateDirectory &&
      record.kubeconfig === start.kubeconfig &&
      record.context === start.context
    if (isSame && !mustRestart) return { identity: recorded, isNew: false, logOffset }
    await stopProcess(recorded)
  }
  await freeState(start.stateDirectory)
  return { identity: await startAgent(start), isNew: true, logOffset }
}

/**
 * A killed `connect` may leave an agent nobody recorded: it is stopped. A killed agent leaves its lock, and where nobody reaps it, a
 * zombie that looks alive to the next one: the lock is removed.
 */
async function freeState(stateDirectory: string): Promise<void> {
  const path = join(stateDirectory, agentStateFiles.lock)
  const [pid = '', ticks = ''] = (readOpenFile(path) ?? '').trim().split(' ')
  if (!/^[1-9]\d{0,9}$/.test(pid)) return
  const holder = identify(Number(pid))
  if (holder?.started?.endsWith(`:${ticks}`) === true) await stopProcess(holder)
  else if (holder === undefined) rmSync(path, { force: true })
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
