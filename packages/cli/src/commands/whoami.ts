/**
 * `sallyport whoami`.
 * @module
 */
import { SallyportError } from '@sallyport/protocol'
import { accountName, type Account } from '../credentials/profile.ts'
import { chosenHub } from '../hub/session.ts'
import { signInCommand } from '../hub/sign-in-command.ts'
import { column } from '../output/table.ts'
import type { JsonObject } from '../output/value.ts'
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
    await context.print({ ...whoIs(hub.account), tenantId: hub.tenantId, hub: hub.origin }, [
      column('NAME', 'name'),
      column('OBJECT', 'objectId'),
      column('TYPE', 'type'),
      column('HUB', 'hub'),
    ])
    return 0
  },
}

function whoIs(account: Account): JsonObject {
  const name = accountName(account)
  const common = { objectId: account.objectId ?? null, type: account.type, name }
  return account.type === 'user'
    ? { ...common, userPrincipalName: name }
    : { ...common, clientId: name }
}
