/**
 * Waits until the hub says Connected, and says why when it does not.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { SallyportError, limits, type ClusterId, type ConnectedCluster } from '@sallyport/protocol'
import { findCluster, type Scope } from '../hub/clusters.ts'
import { agentFailure, lastLines } from './agent-process.ts'
import { isAgentRunning, type AgentRecord } from './agent-record.ts'

const pollMs = 400

/** What is waited for. */
export interface ConnectedWait {
  hub: Scope
  id: ClusterId
  record: AgentRecord
  /** Bytes of its log that are older than the process. */
  logOffset: number
  /** `lastConnectivityTime` before the process was started: a lease of an agent that died is no sign of life. */
  seenBefore: string | undefined
  note: (text: string) => void
}

/**
 * Polls the hub.
 * @throws SallyportError the agent's own error when it stopped, ERR_AGENT_UNKNOWN when the hub does not know it, ERR_TIMEOUT with its last words.
 */
export async function waitUntilConnected(wait: ConnectedWait): Promise<ConnectedCluster> {
  const { hub, id, note, seenBefore } = wait
  const deadline = performance.now() + limits.connectTimeoutMs
  for (;;) {
    const cluster = await findCluster(hub, id)
    const status = cluster?.properties.connectivityStatus
    const seen = cluster?.properties.lastConnectivityTime
    if (cluster !== undefined && status === 'Connected' && seen !== seenBefore) return cluster
    note(`the hub says ${status ?? 'nothing'}`)
    refuseDead(wait)
    if (performance.now() > deadline) throw late(wait, status)
    await sleep(pollMs, undefined, { signal: hub.signal })
  }
}

function refuseDead({ id, record, logOffset }: ConnectedWait): void {
  const { logFile } = record
  if (!isAgentRunning(record)) throw agentFailure(id.name, logFile, logOffset)
  if (lastLines(logFile, 5, logOffset).some((line) => line.includes('"ERR_AGENT_UNKNOWN"'))) {
    throw new SallyportError(
      'ERR_AGENT_UNKNOWN',
      `the hub does not know the agent of '${id.name}'`,
      {
        why: `log: ${logFile}`,
      },
    )
  }
}

function late(wait: ConnectedWait, status: string | undefined): SallyportError {
  const { id, logOffset } = wait
  const { logFile } = wait.record
  const [last] = lastLines(logFile, 1, logOffset)
  const seconds = limits.connectTimeoutMs / 1000
  return new SallyportError(
    'ERR_TIMEOUT',
    `'${id.name}' is not connected after ${seconds} s; the hub says ${status ?? 'nothing'}`,
    {
      ...(last === undefined ? {} : { why: `the last line of ${logFile}: ${last}` }),
      remedy: `read the log of the agent: tail ${logFile}`,
    },
  )
}
