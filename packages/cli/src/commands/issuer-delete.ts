/**
 * `sallyport issuer delete`.
 * @module
 */
import { deleteIssuer, getIssuer } from '../hub/issuers.ts'
import { openHub } from '../hub/session.ts'
import { confirmByName } from './ask.ts'
import type { Command } from './command.ts'
import { aliasArgument, aliasOption, issuerAlias } from './issuer-view.ts'
import { yesOption } from './options.ts'

/** Deletes an outside issuer. */
export const issuerDelete: Command = {
  summary: 'delete an outside issuer and end the sign-ins made through it',
  description: ['Its people stay in the directory with their roles; they cannot sign in.'],
  arguments: [aliasArgument],
  options: [aliasOption, yesOption],
  examples: [{ what: 'without being asked', line: 'sallyport issuer delete corp --yes' }],
  run: async (context) => {
    const alias = issuerAlias(context)
    await using hub = await openHub(context)
    const { displayName, issuer } = await getIssuer(hub, alias)
    await confirmByName(context, {
      name: alias,
      warning: `This signs out everybody of '${displayName}' (${issuer})`,
    })
    await deleteIssuer(hub, alias)
    context.say(`deleted outside issuer '${alias}'`)
    return 0
  },
}
