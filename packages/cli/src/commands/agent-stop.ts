/**
 * `sallyport agent stop`.
 * @module
 */
import { stopProcess } from '../agents/agent-process.ts'
import { findAgentRecord, isAgentRunning } from '../agents/agent-record.ts'
import { wantedCluster } from './cluster-view.ts'
import type { Command } from './command.ts'
import { groupOption, nameOption } from './options.ts'

/** Stops an agent; its state stays, so that `connect` starts it again. */
export const agentStop: Command = {
  summary: 'stop the agent of a cluster',
  arguments: [
    { name: 'cluster', summary: 'name of the cluster, instead of -n', complete: 'agent' },
  ],
  options: [{ ...nameOption, complete: 'agent' }, groupOption],
  examples: [
    { what: 'stop it', line: 'sallyport agent stop prod-eu' },
    { what: 'start it again', line: 'sallyport connect -n prod-eu -g stores' },
  ],
  run: async (context) => {
    const record = findAgentRecord(context.directories.config, wantedCluster(context))
    const { pid, started, name } = record
    if (pid === undefined || !isAgentRunning(record)) {
      context.say(`the agent of '${name}' does not run`)
      return 0
    }
    await stopProcess({ pid, ...(started === undefined ? {} : { started }) })
    context.say(`stopped the agent of '${name}' (process ${pid})`)
    return 0
  },
}
