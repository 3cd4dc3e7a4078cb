/**
 * `sallyport issuer check`.
 * @module
 */
import { checkIssuer, getIssuer } from '../hub/issuers.ts'
import { openHub } from '../hub/session.ts'
import type { Command } from './command.ts'
import {
  aliasArgument,
  aliasOption,
  checkColumns,
  checkView,
  issuerAlias,
  settingsOf,
} from './issuer-view.ts'

/** Runs the check of a saved issuer, from the hub. */
export const issuerCheck: Command = {
  summary: 'check an outside issuer from the hub, step by step',
  arguments: [aliasArgument],
  options: [aliasOption],
  examples: [
    { what: 'what is wrong', line: `sallyport issuer check corp --query "[?status=='fail']"` },
  ],
  run: async (context) => {
    const alias = issuerAlias(context)
    await using hub = await openHub(context)
    const checks = await checkIssuer(hub, alias, settingsOf(await getIssuer(hub, alias)))
    await context.print(checks.map(checkView), checkColumns)
    return checks.some((check) => check.status === 'fail') ? 1 : 0
  },
}
