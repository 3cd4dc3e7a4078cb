/**
 * `sallyport logout`.
 * @module
 */
import { SallyportError, isSallyportError } from '@sallyport/protocol'
import {
  accountName,
  readProfile,
  updateProfile,
  withoutAccount,
  type HubProfile,
  type Profile,
} from '../credentials/profile.ts'
import { readSecrets, secretsKey, updateSecrets } from '../credentials/secrets.ts'
import { revokeSignIn } from '../hub/revoke.ts'
import { chosenOrigin, dialSettings } from '../hub/session.ts'
import { createTransport } from '../hub/transport.ts'
import { accountsOf } from './account-view.ts'
import type { Command, CommandContext } from './command.ts'

/** Ends sign-ins at the hub and forgets them here; the CA of a hub stays known. */
export const logout: Command = {
  summary: 'sign out at the hub and forget the credentials',
  options: [
    { long: 'all', summary: 'every account of every hub' },
    {
      long: 'username',
      short: 'u',
      value: 'NAME',
      summary: 'this account instead of the one in use',
      complete: 'account',
    },
  ],
  examples: [
    { what: 'the account in use', line: 'sallyport logout' },
    { what: 'everything on this machine', line: 'sallyport logout --all' },
  ],
  run: async (context) => {
    const leaving = chooseLeaving(context, readProfile(context.directories.config))
    if (leaving.length === 0) {
      context.say('nobody is signed in')
      return 0
    }
    const problems: SallyportError[] = []
    for (const hub of leaving) {
      const problem = await leave(context, hub)
      if (problem === undefined) context.say(`signed out at ${hub.origin}${nameOf(hub)}`)
      else problems.push(problem)
    }
    const [first] = problems
    if (first !== undefined) throw first
    return 0
  },
}

const nameOf = ({ account }: HubProfile) =>
  account === undefined ? '' : ` as ${accountName(account)}`

function chooseLeaving(context: CommandContext, profile: Profile): HubProfile[] {
  const { flags } = context
  if (flags.on('all')) return Object.values(profile.hubs).flatMap(accountsOf)
  const origin = chosenOrigin(context, profile)
  const hub = origin === undefined ? undefined : profile.hubs[origin]
  const name = flags.text('username')?.toLowerCase()
  if (hub === undefined) return []
  if (name === undefined) return hub.account === undefined ? [] : [hub]
  return accountsOf(hub).filter(
    ({ account }) => account !== undefined && accountName(account).toLowerCase() === name,
  )
}

/** What the hub could not be told is an error, but nothing stays here. */
async function leave(
  context: CommandContext,
  hub: HubProfile,
): Promise<SallyportError | undefined> {
  const { directories, signal } = context
  const key = secretsKey(hub)
  const secrets = readSecrets(directories.config, key)
  const problem = await tellHub(context, hub, secrets?.refreshToken)
  await updateSecrets({ configDirectory: directories.config, key, signal }, () => undefined)
  await updateProfile(directories.config, signal, (profile) => {
    const known = profile.hubs[hub.origin]
    if (known === undefined || hub.account === undefined) return
    profile.hubs[hub.origin] = withoutAccount(known, hub.account)
  })
  return problem
}

async function tellHub(
  context: CommandContext,
  hub: HubProfile,
  refreshToken: string | undefined,
): Promise<SallyportError | undefined> {
  const { revocationEndpoint, origin } = hub
  if (refreshToken === undefined || revocationEndpoint === undefined) return undefined
  const dial = dialSettings(context.env, hub.ca)
  const transport = createTransport({ origin, dial, trace: context.trace })
  try {
    await revokeSignIn(transport, revocationEndpoint, { refreshToken, signal: context.signal })
    return undefined
  } catch (error) {
    if (!isSallyportError(error) || context.signal.aborted) throw error
    return new SallyportError(
      error.code,
      `signed out here${nameOf(hub)}, but the hub at ${origin} could not be told`,
      {
        cause: error,
        why: error.message,
        remedy: 'the sign-in ends there by its age; an administrator can end it at once',
      },
    )
  } finally {
    await transport.close()
  }
}
