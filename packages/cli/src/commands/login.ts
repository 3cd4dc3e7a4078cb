/**
 * `sallyport login`.
 * @module
 */
import {
  SallyportError,
  SubscriptionSchema,
  cliClientId,
  isSallyportError,
} from '@sallyport/protocol'
import {
  accountName,
  readProfile,
  updateProfile,
  withAccount,
  type Account,
  type HubProfile,
} from '../credentials/profile.ts'
import {
  putDamagedAside,
  secretsKey,
  updateSecrets,
  type HubSecrets,
} from '../credentials/secrets.ts'
import { applicationAccount, secretsOfProof, storedProof } from '../hub/application-sign-in.ts'
import { createHubClient } from '../hub/hub-client.ts'
import type { AccessToken } from '../hub/oauth.ts'
import { chosenOrigin } from '../hub/session.ts'
import { discover, type SignInEndpoints } from '../hub/sign-in.ts'
import type { HubTransport } from '../hub/transport.ts'
import { column } from '../output/table.ts'
import { utc } from '../output/time.ts'
import type { Command, CommandContext } from './command.ts'
import { readApplication, signInApplication, type Application } from './login-application.ts'
import { loginDescription, loginExamples, loginOptions } from './login-options.ts'
import { trustedTransport } from './login-trust.ts'

/** Who signed in, with what. */
interface SignedIn {
  account: Account
  secrets: HubSecrets
  token: AccessToken
}

/** Signs in a person or an application. */
export const login: Command = {
  summary: 'sign in at a hub',
  description: loginDescription,
  options: loginOptions,
  examples: loginExamples,
  run: async (context) => {
    const isApplication = wantsApplication(context)
    const { config } = context.directories
    const origin = chosenOrigin(context, readProfile(config))
    if (origin === undefined) {
      throw new SallyportError('ERR_USAGE', 'no hub is named', {
        remedy: 'sallyport login --hub https://HOST:PORT',
      })
    }
    const application = isApplication ? await readApplication(context) : undefined
    const aside = putDamagedAside(config)
    if (aside !== undefined)
      context.warn(`the stored credentials were damaged; they lie in ${aside}`)
    const { transport, ca } = await trustedTransport(context, origin)
    try {
      const tenant = context.flags.text('tenant')
      const endpoints = await discover(transport, { tenant, signal: context.signal })
      const signedIn =
        application === undefined
          ? await asPerson(context, transport, endpoints)
          : await asApplication(context, transport, { endpoints, application })
      const profile = {
        ...(await describeHub(context, transport, { endpoints, signedIn })),
        ...(ca === undefined ? {} : { ca }),
      }
      await store(context, profile, signedIn)
      await report(context, profile, signedIn)
    } finally {
      await transport.close()
    }
    return 0
  },
}

function wantsApplication({ flags }: CommandContext): boolean {
  if (flags.on('service-principal')) return flags.required('username', '-u CLIENT_ID') !== ''
  if (flags.text('username') === undefined) return false
  throw new SallyportError('ERR_USAGE', '-u signs in applications, with --service-principal', {
    remedy: 'as a person: sallyport login, and give the name in the browser',
  })
}

async function asPerson(
  context: CommandContext,
  transport: HubTransport,
  endpoints: SignInEndpoints,
): Promise<SignedIn> {
  const { signInPerson } = await import('./login-person.ts')
  const { account, token } = await signInPerson(context, transport, endpoints)
  const { accessToken, expiresAt, refreshToken } = token
  const secrets = { clientId: cliClientId, refreshToken, accessToken, expiresAt }
  return { account, token, secrets }
}

async function asApplication(
  context: CommandContext,
  transport: HubTransport,
  request: { endpoints: SignInEndpoints; application: Application },
): Promise<SignedIn> {
  const { clientId, proof } = request.application
  const { accessToken, expiresAt } = await signInApplication(context, transport, request)
  const { decodeJwt } = await import('jose')
  const { oid } = decodeJwt(accessToken)
  return {
    account: applicationAccount(clientId, proof, typeof oid === 'string' ? oid : undefined),
    token: { accessToken, expiresAt },
    secrets: { ...secretsOfProof(clientId, proof), accessToken, expiresAt },
  }
}

async function describeHub(
  context: CommandContext,
  transport: HubTransport,
  { endpoints, signedIn }: { endpoints: SignInEndpoints; signedIn: SignedIn },
): Promise<HubProfile> {
  const subscription = await chooseSubscription(context, transport, signedIn.token)
  const { audience, tenantId, tokenEndpoint, revocationEndpoint } = endpoints
  return {
    origin: transport.origin,
    audience,
    tenantId,
    tokenEndpoint,
    ...(revocationEndpoint === undefined ? {} : { revocationEndpoint }),
    account: signedIn.account,
    ...(subscription === undefined
      ? {}
      : {
          subscriptionId: subscription.subscriptionId,
          subscriptionName: subscription.displayName,
        }),
  }
}

async function chooseSubscription(
  context: CommandContext,
  transport: HubTransport,
  token: AccessToken,
) {
  const { flags, signal } = context
  const client = createHubClient(transport, () => Promise.resolve(token.accessToken))
  const call = { method: 'GET' as const, path: '/subscriptions', signal }
  const subscriptions = await client
    .list(call, SubscriptionSchema, 'list of subscriptions')
    .catch((error: unknown) => {
      // Who may see none is signed in all the same.
      if (isSallyportError(error) && error.code === 'ERR_FORBIDDEN') return []
      throw error
    })
  const wanted = flags.text('subscription')?.toLowerCase()
  const found = subscriptions.find(
    ({ subscriptionId, displayName }) =>
      wanted === undefined ||
      [subscriptionId, displayName].some((it) => it.toLowerCase() === wanted),
  )
  if (found !== undefined) return found
  if (wanted !== undefined) {
    throw new SallyportError(
      'ERR_ARM_SUBSCRIPTION_NOT_FOUND',
      `there is no subscription '${wanted}'`,
    )
  }
  if (!flags.on('allow-no-subscriptions'))
    context.warn('you may see no subscription yet; an administrator of the hub can give you a role')
  return undefined
}

async function store(
  context: CommandContext,
  hub: HubProfile,
  { account, secrets }: SignedIn,
): Promise<void> {
  const { directories, signal } = context
  const place = { configDirectory: directories.config, key: secretsKey(hub), signal }
  await updateSecrets(place, () => secrets)
  await updateProfile(directories.config, signal, (profile) => {
    profile.hubs[hub.origin] = withAccount(hub, account, profile.hubs[hub.origin])
    profile.current = hub.origin
  })
}

const isRenewable = (secrets: HubSecrets) =>
  secrets.refreshToken !== undefined || storedProof(secrets) !== undefined

async function report(
  context: CommandContext,
  hub: HubProfile,
  { account, token, secrets }: SignedIn,
): Promise<void> {
  const { origin, tenantId, subscriptionId } = hub
  context.say(`signed in at ${origin} as ${accountName(account)}`)
  const renewed = isRenewable(secrets) ? ', renewed by itself' : ''
  context.say(
    `token until ${utc(token.expiresAt)}${renewed}; kept in ${context.directories.config}`,
  )
  if (context.flags.text('output') === undefined) return
  await context.print({ hub: origin, tenantId, ...account, subscriptionId }, [
    column('HUB', 'hub'),
    { header: 'ACCOUNT', text: () => accountName(account) },
    column('OBJECT', 'objectId'),
    column('SUBSCRIPTION', 'subscriptionId'),
  ])
}
