/**
 * `sallyport session show`.
 * @module
 */
import { openHub } from '../hub/session.ts'
import { getSession } from '../hub/sessions.ts'
import type { Command } from './command.ts'
import { sessionArgument, sessionColumns, sessionView } from './session-view.ts'

/** Shows one session. */
export const sessionShow: Command = {
  summary: 'show a session',
  arguments: [sessionArgument],
  options: [],
  examples: [
    {
      what: 'by its id',
      line: 'sallyport session show 6f1c0c5e-9d7b-4c39-9a3e-0c8f2f7b1d10',
    },
  ],
  run: async (context) => {
    const id = context.flags.required('session', 'SESSION')
    await using hub = await openHub(context)
    await context.print(sessionView(await getSession(hub, id)), sessionColumns)
    return 0
  },
}
