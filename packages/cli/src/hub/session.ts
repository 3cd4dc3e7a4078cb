/**
 * The hub a command talks to: which one, how it is trusted, as whom.
 * @module
 */
import { SallyportError, SubscriptionSchema } from '@sallyport/protocol'
import { proxyFromEnvironment, type DialSettings } from '@sallyport/tunnel'
import { readProfile, type HubProfile, type Profile } from '../credentials/profile.ts'
import type { Scope } from './clusters.ts'
import { createHubClient, type HubClient } from './hub-client.ts'
import { createTokenSource } from './token-source.ts'
import { createTransport } from './transport.ts'

/** What choosing a hub needs of a command's context. */
export interface HubChoice {
  flags: { text: (name: string) => string | undefined }
  env: NodeJS.ProcessEnv
  directories: { config: string }
  signal: AbortSignal
  trace?: ((text: string) => void) | undefined
  warn?: ((text: string) => void) | undefined
}

/** Origin of a hub as given by a person. @throws SallyportError ERR_USAGE. */
export function parseHubUrl(text: string): string {
  const url = URL.canParse(text.includes('://') ? text : `https://${text}`)
    ? new URL(text.includes('://') ? text : `https://${text}`)
    : undefined
  const isBare = url?.protocol === 'https:' && url.username === '' && url.password === ''
  if (
    url !== undefined &&
    isBare &&
    /^\/?$/.test(url.pathname) &&
    url.search === '' &&
    url.hash === ''
  ) {
    return url.origin
  }
  throw new SallyportError('ERR_USAGE', `'${text}' is not the address of a hub`, {
    remedy: 'give an https address without path: --hub https://hub.example.com',
  })
}

/** The hub named by --hub or SALLYPORT_HUB, else the current one; undefined when there is none. */
export function chosenOrigin(choice: HubChoice, profile: Profile): string | undefined {
  const given = choice.flags.text('hub') ?? choice.env['SALLYPORT_HUB']
  return given === undefined || given === '' ? profile.current : parseHubUrl(given)
}

/** Profile of the chosen hub. @throws SallyportError ERR_AUTH_REQUIRED when nobody ever signed in there. */
export function chosenHub(choice: HubChoice): HubProfile {
  const profile = readProfile(choice.directories.config)
  const origin = chosenOrigin(choice, profile)
  const hub = origin === undefined ? undefined : profile.hubs[origin]
  if (hub !== undefined) return hub
  const where = origin === undefined ? '' : ` at ${origin}`
  throw new SallyportError('ERR_AUTH_REQUIRED', `nobody is signed in${where}`, {
    remedy: `sallyport login --hub ${origin ?? 'URL'}`,
  })
}

/** How connections to a hub leave this machine. */
export function dialSettings(env: NodeJS.ProcessEnv, ca: string | undefined): DialSettings {
  const proxy = proxyFromEnvironment(env)
  return { ...(ca === undefined ? {} : { ca }), ...(proxy === undefined ? {} : { proxy }) }
}

/** A signed-in client and what it was made from. */
export interface HubSession extends Scope {
  profile: HubProfile
  dial: DialSettings
}

/** A client of one hub as its account in use; it closes its connections in the end. */
export function openClient(choice: HubChoice, profile: HubProfile): HubClient & AsyncDisposable {
  const dial = dialSettings(choice.env, profile.ca)
  const transport = createTransport({ origin: profile.origin, dial, trace: choice.trace })
  const fixed = choice.env['SALLYPORT_TOKEN']
  const tokens = createTokenSource({
    configDirectory: choice.directories.config,
    profile,
    transport,
    env: choice.env,
    warn: choice.warn,
    fixed: fixed === '' ? undefined : fixed,
  })
  const client = createHubClient(transport, tokens)
  return { ...client, [Symbol.asyncDispose]: () => client.close() }
}

/**
 * Opens a client of the chosen hub; `close` it in the end. A principal that had no role at sign-in may have one by now, so an
 * unknown subscription is asked for.
 * @throws SallyportError ERR_FORBIDDEN when there is none to see.
 */
export async function openHub(choice: HubChoice): Promise<HubSession & AsyncDisposable> {
  const profile = chosenHub(choice)
  const client = openClient(choice, profile)
  try {
    const subscriptionId =
      choice.flags.text('subscription') ??
      profile.subscriptionId ??
      (await firstSubscription(choice, profile, client))
    return {
      client,
      profile,
      dial: dialSettings(choice.env, profile.ca),
      subscriptionId,
      signal: choice.signal,
      [Symbol.asyncDispose]: () => client.close(),
    }
  } catch (error) {
    await client.close()
    throw error
  }
}

async function firstSubscription(
  { signal }: HubChoice,
  profile: HubProfile,
  client: HubClient,
): Promise<string> {
  const call = { method: 'GET' as const, path: '/subscriptions', signal }
  const [first] = await client.list(call, SubscriptionSchema, 'list of subscriptions')
  if (first !== undefined) return first.subscriptionId
  throw new SallyportError(
    'ERR_FORBIDDEN',
    `you have no role in any subscription of ${profile.origin}`,
    {
      why: 'a role is what lets a principal see a cluster or ask for a way in (listClusterUserCredential)',
      remedy:
        'ask an administrator of the hub: sallyport role assignment create --assignee OBJECT_ID --role ROLE --scope CLUSTER_ID; your object id: sallyport whoami',
    },
  )
}
