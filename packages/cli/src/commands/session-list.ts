/**
 * `sallyport session list`.
 * @module
 */
import { openHub } from '../hub/session.ts'
import { listSessions } from '../hub/sessions.ts'
import type { Command } from './command.ts'
import { sessionColumns, sessionView } from './session-view.ts'

/** Lists the sessions of a principal, or of everybody. */
export const sessionList: Command = {
  summary: 'list sessions with clusters',
  options: [
    { long: 'principal', value: 'ID', summary: 'object id; one’s own sessions need no role' },
  ],
  examples: [{ what: 'ids only', line: "sallyport session list --query '[].sessionId' -o tsv" }],
  run: async (context) => {
    await using hub = await openHub(context)
    const sessions = await listSessions(hub, context.flags.text('principal'))
    await context.print(sessions.map(sessionView), sessionColumns)
    return 0
  },
}
