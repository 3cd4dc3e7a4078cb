/**
 * `sallyport account list`.
 * @module
 */
import { readProfile } from '../credentials/profile.ts'
import { accountColumns, accountView } from './account-view.ts'
import type { Command } from './command.ts'

/** Lists every hub of the profile. */
export const accountList: Command = {
  summary: 'list the hubs signed in to',
  options: [],
  examples: [{ what: 'which hubs there are', line: 'sallyport account list -o table' }],
  run: async (context) => {
    const { config } = context.directories
    const profile = readProfile(config)
    const hubs = Object.values(profile.hubs).filter(({ account }) => account !== undefined)
    const rows = hubs.map((hub) => accountView(config, hub, hub.origin === profile.current))
    await context.print(rows, accountColumns)
    return 0
  },
}
