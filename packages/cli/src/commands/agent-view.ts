/**
 * Agents of this machine as they are printed.
 * @module
 */
import { isAgentRunning, type AgentRecord } from '../agents/agent-record.ts'
import { column, type Column } from '../output/table.ts'
import type { JsonObject } from '../output/value.ts'

/** An agent as JSON to print; `pid` is null unless it runs. */
export function agentView(record: AgentRecord): JsonObject {
  const { name, resourceGroup, hub, clusterId, stateDirectory, logFile, kubeconfig, context } =
    record
  const isRunning = isAgentRunning(record)
  return {
    name,
    resourceGroup,
    state: isRunning ? 'running' : 'stopped',
    pid: isRunning ? (record.pid ?? null) : null,
    hub,
    clusterId,
    kubeconfig,
    context,
    stateDirectory,
    logFile,
  }
}

/** Columns of `agent list`. */
export const agentColumns: Column[] = [
  column('NAME', 'name'),
  column('GROUP', 'resourceGroup'),
  column('STATE', 'state'),
  column('PID', 'pid'),
  column('CONTEXT', 'context'),
  column('LOG', 'logFile'),
]
