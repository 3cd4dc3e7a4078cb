/**
 * `sallyport session kill`.
 * @module
 */
import { openHub } from '../hub/session.ts'
import { killSession } from '../hub/sessions.ts'
import type { Command } from './command.ts'
import { sessionArgument } from './session-view.ts'

/** Ends a session: its streams are cut and it cannot be renewed. */
export const sessionKill: Command = {
  summary: 'end a session at once',
  arguments: [sessionArgument],
  options: [],
  examples: [
    {
      what: 'by its id',
      line: 'sallyport session kill 6f1c0c5e-9d7b-4c39-9a3e-0c8f2f7b1d10',
    },
  ],
  run: async (context) => {
    const id = context.flags.required('session', 'SESSION')
    await using hub = await openHub(context)
    await killSession(hub, id)
    context.say(`ended session ${id}`)
    return 0
  },
}
