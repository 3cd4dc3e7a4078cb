/**
 * `sallyport account show`.
 * @module
 */
import { SallyportError } from '@sallyport/protocol'
import { readProfile } from '../credentials/profile.ts'
import { chosenHub } from '../hub/session.ts'
import { signInCommand } from '../hub/sign-in-command.ts'
import { accountColumns, accountView } from './account-view.ts'
import type { Command } from './command.ts'

/** Shows the account in use. */
export const accountShow: Command = {
  summary: 'show hub, tenant, subscription and principal',
  options: [],
  examples: [
    { what: 'all of it', line: 'sallyport account show' },
    {
      what: 'the object id, to bind roles to',
      line: 'sallyport account show --query user.objectId -o tsv',
    },
  ],
  run: async (context) => {
    const { config } = context.directories
    const hub = chosenHub(context)
    if (hub.account === undefined) {
      throw new SallyportError('ERR_AUTH_REQUIRED', `nobody is signed in at ${hub.origin}`, {
        remedy: signInCommand(hub),
      })
    }
    const isDefault = readProfile(config).current === hub.origin
    await context.print(accountView(config, hub, isDefault), accountColumns)
    return 0
  },
}
