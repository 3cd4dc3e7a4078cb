/**
 * `sallyport agent list`.
 * @module
 */
import { listAgentRecords } from '../agents/agent-record.ts'
import { agentColumns, agentView } from './agent-view.ts'
import type { Command } from './command.ts'

/** Lists the agents `connect` started on this machine. */
export const agentList: Command = {
  summary: 'list agents started on this machine',
  options: [],
  examples: [{ what: 'what runs here', line: 'sallyport agent list' }],
  run: async (context) => {
    await context.print(listAgentRecords(context.directories.config).map(agentView), agentColumns)
    return 0
  },
}
