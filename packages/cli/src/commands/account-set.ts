/**
 * `sallyport account set`.
 * @module
 */
import { SallyportError, SubscriptionSchema } from '@sallyport/protocol'
import {
  accountName,
  readProfile,
  updateProfile,
  withAccount,
  type Account,
  type HubProfile,
  type Profile,
} from '../credentials/profile.ts'
import { chosenOrigin, openClient } from '../hub/session.ts'
import { accountColumns, accountView, accountsOf } from './account-view.ts'
import type { Command, CommandContext } from './command.ts'

/** Chooses hub, account and subscription of the commands that follow. */
export const accountSet: Command = {
  summary: 'choose hub, account or subscription',
  options: [
    {
      long: 'name',
      short: 'n',
      value: 'NAME',
      summary: 'account: user name or client id, as account list shows it',
      complete: 'account',
    },
  ],
  examples: [
    { what: 'another hub', line: 'sallyport account set --hub https://hub.example.com' },
    { what: 'another person', line: 'sallyport account set -n alice@example.com' },
    { what: 'another subscription', line: 'sallyport account set --subscription shops' },
  ],
  run: async (context) => {
    const { directories, flags, signal } = context
    const given = ['hub', 'name', 'subscription'].some((flag) => flags.text(flag) !== undefined)
    if (!given) {
      throw new SallyportError('ERR_USAGE', 'nothing is chosen', {
        remedy:
          'pass --hub URL, -n ACCOUNT or --subscription ID; sallyport account list shows them',
      })
    }
    const chosen = chooseAccount(context, readProfile(directories.config))
    const facts = await chooseSubscription(context, chosen)
    const { hubs } = await updateProfile(directories.config, signal, (profile) => {
      const hub = profile.hubs[chosen.origin] ?? chosen
      profile.hubs[chosen.origin] = withAccount({ ...hub, ...facts }, chosen.account)
      profile.current = chosen.origin
    })
    const hub = hubs[chosen.origin] ?? chosen
    context.say(`using ${hub.origin} as ${accountName(chosen.account)}`)
    if (flags.text('output') !== undefined) {
      await context.print(accountView(directories.config, hub, true), accountColumns)
    }
    return 0
  },
}

type Chosen = HubProfile & { account: Account }

const hasAccount = (hub: HubProfile): hub is Chosen => hub.account !== undefined

/** @throws SallyportError ERR_AUTH_REQUIRED for a hub nobody signed in at, ERR_USAGE for a name that is unknown or at several hubs. */
function chooseAccount(context: CommandContext, profile: Profile): Chosen {
  const name = context.flags.text('name')?.toLowerCase()
  const onlyHub = context.flags.text('hub') !== undefined || name === undefined
  const origin = onlyHub ? chosenOrigin(context, profile) : undefined
  const all = Object.values(profile.hubs)
    .flatMap((hub) => accountsOf(hub))
    .filter(hasAccount)
    .filter((hub) => !onlyHub || hub.origin === origin)
  const found = name === undefined ? all : all.filter((hub) => names(hub).includes(name))
  const [first, ...more] = found
  if (first === undefined) {
    const who = name === undefined ? 'nobody is signed in' : `'${name}' is not signed in`
    const where = origin === undefined ? '' : ` at ${origin}`
    throw new SallyportError('ERR_AUTH_REQUIRED', who + where, {
      remedy: `sallyport login --hub ${origin ?? 'URL'}; sallyport account list shows who is`,
    })
  }
  if (name !== undefined && more.length > 0) {
    const places = found.map((hub) => hub.origin).join(', ')
    throw new SallyportError('ERR_USAGE', `'${name}' is signed in at several hubs: ${places}`, {
      remedy: 'name one with --hub URL',
    })
  }
  return first
}

const names = ({ account }: Chosen) =>
  [accountName(account), account.objectId ?? ''].map((name) => name.toLowerCase())

async function chooseSubscription(
  context: CommandContext,
  hub: HubProfile,
): Promise<Pick<HubProfile, 'subscriptionId' | 'subscriptionName'>> {
  const wanted = context.flags.text('subscription')?.toLowerCase()
  if (wanted === undefined) return {}
  await using client = openClient(context, hub)
  const call = { method: 'GET' as const, path: '/subscriptions', signal: context.signal }
  const all = await client.list(call, SubscriptionSchema, 'list of subscriptions')
  const found = all.find(({ subscriptionId, displayName }) =>
    [subscriptionId, displayName].some((one) => one.toLowerCase() === wanted),
  )
  if (found !== undefined) {
    return { subscriptionId: found.subscriptionId, subscriptionName: found.displayName }
  }
  throw new SallyportError(
    'ERR_ARM_SUBSCRIPTION_NOT_FOUND',
    `there is no subscription '${wanted}'`,
    {
      remedy: `choose one of: ${all.map(({ displayName }) => displayName).join(', ')}`,
    },
  )
}
