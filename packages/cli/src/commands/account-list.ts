/**
 * `sallyport account list`.
 * @module
 */
import { readProfile } from '../credentials/profile.ts'
import { accountColumns, accountView, accountsOf } from './account-view.ts'
import type { Command } from './command.ts'

/** Lists every account of every hub. */
export const accountList: Command = {
  summary: 'list hubs and accounts signed in',
  options: [],
  examples: [{ what: 'which hubs there are', line: 'sallyport account list -o table' }],
  run: async (context) => {
    const { config } = context.directories
    const profile = readProfile(config)
    const rows = Object.values(profile.hubs).flatMap((hub) =>
      accountsOf(hub).map((one) =>
        accountView(
          config,
          one,
          hub.origin === profile.current &&
            hub.account !== undefined &&
            one.account === hub.account,
        ),
      ),
    )
    await context.print(rows, accountColumns)
    return 0
  },
}
