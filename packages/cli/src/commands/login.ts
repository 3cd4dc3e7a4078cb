/**
 * `sallyport login`.
 * @module
 */
import { readFileSync } from 'node:fs'
import { SallyportError, SubscriptionSchema, isSallyportError } from '@sallyport/protocol'
import { decodeJwt } from 'jose'
import { fileError } from '../credentials/file-error.ts'
import { readProfile, updateProfile, type HubProfile } from '../credentials/profile.ts'
import { updateSecrets } from '../credentials/secrets.ts'
import { createHubClient } from '../hub/hub-client.ts'
import { chosenOrigin, dialSettings } from '../hub/session.ts'
import { discover, requestToken, type AccessToken } from '../hub/sign-in.ts'
import { createTransport, type HubTransport } from '../hub/transport.ts'
import { certificateWith, parseFingerprint, shownChain } from '../hub/trust.ts'
import { utc } from '../output/time.ts'
import { column } from '../output/table.ts'
import { canAsk, confirm } from './ask.ts'
import type { Command, CommandContext } from './command.ts'
import { secretFromFile, secretFromFlag } from './secret-input.ts'

/** Signs in as a service principal. */
export const login: Command = {
  summary: 'sign in at a hub',
  description: [
    'The secret comes from --password-file, from -p @FILE or -p - (stdin), or from SALLYPORT_CLIENT_SECRET.',
    'It is kept with the tokens in credentials.json (mode 0600), because a long proxy renews its tokens with it.',
  ],
  options: [
    { long: 'service-principal', summary: 'sign in as a service principal' },
    {
      long: 'username',
      short: 'u',
      value: 'CLIENT_ID',
      summary: 'client id of the service principal',
    },
    {
      long: 'password',
      short: 'p',
      value: 'SECRET',
      summary: 'client secret; @FILE or - hide it from others',
    },
    {
      long: 'password-file',
      value: 'FILE',
      summary: 'file with the client secret',
      complete: 'file',
    },
    { long: 'tenant', short: 't', value: 'ID', summary: "tenant; default: the hub's" },
    {
      long: 'hub-fingerprint',
      value: 'SHA256',
      summary: 'fingerprint of the CA, as the hub printed it',
    },
    { long: 'ca-file', value: 'FILE', summary: 'CA certificate of the hub, PEM', complete: 'file' },
  ],
  examples: [
    {
      what: 'first time, with the fingerprint the hub printed',
      line: 'sallyport login --service-principal -u CLIENT_ID --password-file secret --hub https://hub.example.com --hub-fingerprint sha256:AB:CD:…',
    },
    { what: 'again', line: 'sallyport login --service-principal -u CLIENT_ID -p @secret' },
  ],
  run: async (context) => {
    const { flags } = context
    if (!flags.on('service-principal')) {
      throw new SallyportError('ERR_USAGE', 'this version signs in service principals only', {
        remedy: 'sallyport login --service-principal -u CLIENT_ID --password-file FILE --hub URL',
      })
    }
    const clientId = flags.required('username', '-u CLIENT_ID')
    const origin = chosenOrigin(context, readProfile(context.directories.config))
    if (origin === undefined) {
      throw new SallyportError('ERR_USAGE', 'no hub is named', {
        remedy: 'pass --hub https://HOST:PORT',
      })
    }
    const clientSecret = await readSecret(context)
    const { transport, ca } = await trustedTransport(context, origin)
    try {
      const hub = await signIn(context, transport, { clientId, clientSecret })
      const profile = { ...hub.profile, ...(ca === undefined ? {} : { ca }) }
      await store(context, profile, { clientId, clientSecret, ...hub.token })
      await report(context, profile, hub.token)
    } finally {
      await transport.close()
    }
    return 0
  },
}

async function readSecret(context: CommandContext): Promise<string> {
  const { flags, env } = context
  const file = flags.text('password-file')
  if (file !== undefined) {
    return file === '-' ? (await secretFromFlag('-', context)).secret : secretFromFile(file)
  }
  const value = flags.text('password')
  if (value !== undefined) {
    const { secret, wasVisible } = await secretFromFlag(value, context)
    if (wasVisible) {
      context.warn(
        'a secret on the command line is visible to other users; use -p @FILE, -p - or SALLYPORT_CLIENT_SECRET',
      )
    }
    return secret
  }
  const variable = env['SALLYPORT_CLIENT_SECRET']
  if (variable !== undefined && variable !== '') return variable
  throw new SallyportError('ERR_USAGE', 'no client secret is given', {
    remedy: 'pass --password-file FILE, -p - for stdin, or set SALLYPORT_CLIENT_SECRET',
  })
}

interface Trusted {
  transport: HubTransport
  ca: string | undefined
}

/** A transport whose certificate is verified: by --ca-file, --hub-fingerprint, the CA kept before, the system's, or the person asked. */
async function trustedTransport(context: CommandContext, origin: string): Promise<Trusted> {
  const { flags, env, signal, trace } = context
  const make = (ca: string | undefined): Trusted => ({
    ca,
    transport: createTransport({ origin, dial: dialSettings(env, ca), trace }),
  })
  const file = flags.text('ca-file')
  if (file !== undefined) return make(readCaFile(file))
  const fingerprint = flags.text('hub-fingerprint')
  if (fingerprint !== undefined) {
    const chain = await shownChain(origin, dialSettings(env, undefined), signal)
    return make(certificateWith(parseFingerprint(fingerprint), chain).pem)
  }
  const known = readProfile(context.directories.config).hubs[origin]
  const first = make(known?.ca)
  try {
    await first.transport.send({
      method: 'GET',
      path: '/metadata/endpoints?api-version=2022-09-01',
      signal,
    })
    return first
  } catch (error) {
    await first.transport.close()
    if (!isSallyportError(error) || error.code !== 'ERR_HUB_UNTRUSTED') throw error
    if (known?.ca !== undefined) throw caChanged(context, origin, error)
    return make(await askForTrust(context, origin))
  }
}

function readCaFile(path: string): string {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw fileError(path, 'read', error)
  }
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text
  throw new SallyportError('ERR_USAGE', `${path} holds no PEM certificate`)
}

function caChanged(context: CommandContext, origin: string, cause: SallyportError): SallyportError {
  return new SallyportError(
    'ERR_HUB_UNTRUSTED',
    `${origin} shows a certificate of another CA than at the last sign-in`,
    {
      cause,
      ...(cause.why === undefined ? {} : { why: cause.why }),
      remedy: `if its owner gave it a new CA, compare the fingerprint he tells you: sallyport login … --hub-fingerprint sha256:… (kept in ${context.directories.config})`,
    },
  )
}

async function askForTrust(context: CommandContext, origin: string): Promise<string> {
  const chain = await shownChain(origin, dialSettings(context.env, undefined), context.signal)
  const authority = chain.at(-1)
  if (authority === undefined)
    throw new SallyportError('ERR_HUB_UNTRUSTED', `${origin} shows no certificate`)
  const facts = `${authority.subject}\n  ${authority.fingerprint}`
  if (!canAsk(context)) {
    throw new SallyportError('ERR_USAGE', `nobody has vouched for the CA of ${origin}`, {
      why: `it shows ${authority.fingerprint}`,
      remedy:
        'compare it with what the hub printed, then pass --hub-fingerprint sha256:… or --ca-file FILE',
    })
  }
  const question = `${origin} is not known yet. Its CA is\n  ${facts}\nIs this the fingerprint the hub printed at start?`
  if (await confirm(context, question)) return authority.pem
  throw new SallyportError(
    'ERR_HUB_UNTRUSTED',
    `the CA of ${origin} was not trusted; nothing was sent`,
  )
}

async function signIn(
  context: CommandContext,
  transport: HubTransport,
  credentials: { clientId: string; clientSecret: string },
): Promise<{ profile: HubProfile; token: AccessToken }> {
  const { signal, flags } = context
  const endpoints = await discover(transport, { tenant: flags.text('tenant'), signal })
  const token = await requestToken(transport, endpoints, { ...credentials, signal })
  const client = createHubClient(transport, () => Promise.resolve(token.accessToken))
  const subscriptions = await client.list(
    { method: 'GET', path: '/subscriptions', signal },
    SubscriptionSchema,
    'list of subscriptions',
  )
  const wanted = flags.text('subscription')?.toLowerCase()
  const subscription =
    wanted === undefined
      ? subscriptions[0]
      : subscriptions.find(({ subscriptionId }) => subscriptionId.toLowerCase() === wanted)
  if (wanted !== undefined && subscription === undefined) {
    throw new SallyportError(
      'ERR_ARM_SUBSCRIPTION_NOT_FOUND',
      `there is no subscription '${wanted}'`,
    )
  }
  const { oid } = decodeJwt(token.accessToken)
  const account = {
    type: 'servicePrincipal' as const,
    clientId: credentials.clientId,
    ...(typeof oid === 'string' ? { objectId: oid } : {}),
  }
  const chosen =
    subscription === undefined
      ? {}
      : { subscriptionId: subscription.subscriptionId, subscriptionName: subscription.displayName }
  return { profile: { origin: transport.origin, ...endpoints, account, ...chosen }, token }
}

async function store(
  context: CommandContext,
  hub: HubProfile,
  secrets: { clientId: string; clientSecret: string } & AccessToken,
): Promise<void> {
  const { directories, signal } = context
  const place = { configDirectory: directories.config, origin: hub.origin, signal }
  await updateSecrets(place, () => secrets)
  await updateProfile(directories.config, signal, (profile) => {
    profile.hubs[hub.origin] = hub
    profile.current = hub.origin
  })
}

async function report(context: CommandContext, hub: HubProfile, token: AccessToken): Promise<void> {
  const { account, origin, tenantId } = hub
  context.say(`signed in at ${origin} as ${account?.clientId ?? ''}`)
  context.say(
    `token until ${utc(token.expiresAt)}, renewed by itself; kept in ${context.directories.config}`,
  )
  if (context.flags.text('output') === undefined) return
  await context.print({ hub: origin, tenantId, ...account, subscriptionId: hub.subscriptionId }, [
    column('HUB', 'hub'),
    column('CLIENT', 'clientId'),
    column('OBJECT', 'objectId'),
    column('SUBSCRIPTION', 'subscriptionId'),
  ])
}
