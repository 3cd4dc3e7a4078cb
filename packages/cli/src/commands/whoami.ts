/**
 * `sallyport whoami`.
 * @module
 */
import { SallyportError } from '@sallyport/protocol'
import { chosenHub } from '../hub/session.ts'
import { signInCommand } from '../hub/token-source.ts'
import { column } from '../output/table.ts'
import type { Command } from './command.ts'

/** Names the principal: the object id is what Kubernetes sees as user. */
export const whoami: Command = {
  summary: 'name the signed-in principal',
  options: [],
  examples: [
    {
      what: 'bind a role to yourself',
      line: 'kubectl create clusterrolebinding me --clusterrole view --user=$(sallyport whoami --query objectId -o tsv)',
    },
  ],
  run: async (context) => {
    const hub = chosenHub(context)
    if (hub.account === undefined) {
      throw new SallyportError('ERR_AUTH_REQUIRED', `nobody is signed in at ${hub.origin}`, {
        remedy: signInCommand(hub),
      })
    }
    const { objectId, clientId, type } = hub.account
    await context.print(
      { objectId: objectId ?? null, type, clientId, tenantId: hub.tenantId, hub: hub.origin },
      [column('OBJECT', 'objectId'), column('TYPE', 'type'), column('HUB', 'hub')],
    )
    return 0
  },
}
