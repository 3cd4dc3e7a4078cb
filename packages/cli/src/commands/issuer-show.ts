/**
 * `sallyport issuer show`.
 * @module
 */
import { getIssuer } from '../hub/issuers.ts'
import { openHub } from '../hub/session.ts'
import type { Command } from './command.ts'
import {
  aliasArgument,
  aliasOption,
  issuerAlias,
  issuerColumns,
  issuerView,
} from './issuer-view.ts'

/** Shows one outside issuer. */
export const issuerShow: Command = {
  summary: 'show an outside issuer',
  arguments: [aliasArgument],
  options: [aliasOption],
  examples: [
    {
      what: 'the redirect address to register there',
      line: 'sallyport issuer show corp --query redirectUri -o tsv',
    },
  ],
  run: async (context) => {
    const alias = issuerAlias(context)
    await using hub = await openHub(context)
    await context.print(issuerView(await getIssuer(hub, alias)), issuerColumns)
    return 0
  },
}
