/**
 * `sallyport issuer list`.
 * @module
 */
import { listIssuers } from '../hub/issuers.ts'
import { openHub } from '../hub/session.ts'
import type { Command } from './command.ts'
import { issuerColumns, issuerView } from './issuer-view.ts'

/** Lists the outside issuers of the hub. */
export const issuerList: Command = {
  summary: 'list outside issuers',
  options: [],
  examples: [{ what: 'aliases only', line: "sallyport issuer list --query '[].alias' -o tsv" }],
  run: async (context) => {
    await using hub = await openHub(context)
    await context.print((await listIssuers(hub)).map(issuerView), issuerColumns)
    return 0
  },
}
