/**
 * Signing in a person: in the browser here, or by a code on another machine.
 * @module
 */
import { SallyportError } from '@sallyport/protocol'
import type { SignInEndpoints } from '../hub/sign-in.ts'
import type { HubTransport } from '../hub/transport.ts'
import type { SignedInUser } from '../hub/user-identity.ts'
import { escapeText } from '../output/escape.ts'
import { canAsk, confirm } from './ask.ts'
import type { CommandContext } from './command.ts'
import { browserPlace, isUnattended, openBrowser } from './open-browser.ts'

/** Signs in the person. @throws SallyportError. */
export async function signInPerson(
  context: CommandContext,
  transport: HubTransport,
  endpoints: SignInEndpoints,
): Promise<SignedInUser> {
  return (await wantsBrowser(context))
    ? byBrowser(context, transport, endpoints)
    : byDevice(context, transport, endpoints)
}

async function wantsBrowser(context: CommandContext): Promise<boolean> {
  const { env, flags } = context
  if (flags.on('use-device-code')) return false
  if (isUnattended(env)) {
    throw new SallyportError('ERR_USAGE', 'nobody is there to sign in: CI is set', {
      remedy:
        'sallyport login --service-principal -u CLIENT_ID --federated-token github, or --use-device-code',
    })
  }
  const place = context.openBrowser === undefined ? browserPlace(env) : 'here'
  if (place === 'here') return true
  if (place === 'nowhere' || !canAsk(context)) return false
  return confirm(context, 'You are connected by SSH. Open a browser on this machine all the same?')
}

async function byBrowser(
  context: CommandContext,
  transport: HubTransport,
  endpoints: SignInEndpoints,
): Promise<SignedInUser> {
  const { signInByBrowser } = await import('../hub/browser-sign-in.ts')
  const open = context.openBrowser ?? ((address: string) => openBrowser(context.env, address))
  return signInByBrowser(transport, endpoints, {
    signal: context.signal,
    opened: ({ start, authorizationUrl }) => {
      context.say(`sign in in the browser; if none opens: ${authorizationUrl}`)
      open(start).catch((error: unknown) => {
        const why = error instanceof Error ? error.message : 'unknown'
        context.warn(
          `no browser could be started (${why}); open the address above, or --use-device-code`,
        )
      })
    },
  })
}

async function byDevice(
  context: CommandContext,
  transport: HubTransport,
  endpoints: SignInEndpoints,
): Promise<SignedInUser> {
  const { signInByDevice } = await import('../hub/device-sign-in.ts')
  return signInByDevice(transport, endpoints, {
    signal: context.signal,
    // Not `say`: without this line nothing can go on, also with --only-show-errors.
    show: ({ address, code, minutes }) => {
      context.stderr.write(
        `${escapeText(`open ${address} in a browser and enter the code ${code} within ${minutes} min`)}\n`,
      )
    },
  })
}
