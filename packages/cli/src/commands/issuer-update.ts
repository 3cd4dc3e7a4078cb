/**
 * `sallyport issuer update`.
 * @module
 */
import { SallyportError } from '@sallyport/protocol'
import { getIssuer, putIssuer } from '../hub/issuers.ts'
import { openHub } from '../hub/session.ts'
import type { Command, CommandContext } from './command.ts'
import {
  aliasArgument,
  aliasOption,
  clientSecretFrom,
  issuerAlias,
  issuerColumns,
  issuerView,
  settingsFrom,
  settingsOf,
  settingsOptions,
  tellWarnings,
} from './issuer-view.ts'

/** Changes what is given of an outside issuer. */
export const issuerUpdate: Command = {
  summary: 'change an outside issuer',
  description: ['What is not given stays. Disabling it ends the sign-ins made through it.'],
  arguments: [aliasArgument],
  options: [
    aliasOption,
    { long: 'enable', summary: 'offer it on the sign-in page again' },
    { long: 'disable', summary: 'offer it no longer, and end its sign-ins' },
    ...settingsOptions,
  ],
  examples: [
    { what: 'a new secret', line: 'sallyport issuer update corp --client-secret-file new.txt' },
    { what: 'closed', line: 'sallyport issuer update corp --disable' },
  ],
  run: async (context) => {
    const alias = issuerAlias(context)
    const enabled = enabledFrom(context)
    const clientSecret = await clientSecretFrom(context)
    await using hub = await openHub(context)
    const before = settingsOf(await getIssuer(hub, alias))
    const { checks, ...saved } = await putIssuer(hub, alias, {
      ...settingsFrom(context, before),
      ...(enabled === undefined ? {} : { enabled }),
      ...(clientSecret === undefined ? {} : { clientSecret }),
      // Who closes an issuer does not care whether it works.
      ...(context.flags.on('skip-check') || enabled === false ? { skipCheck: true } : {}),
    })
    tellWarnings(context, checks)
    await context.print(issuerView(saved), issuerColumns)
    return 0
  },
}

function enabledFrom({ flags }: CommandContext): boolean | undefined {
  if (flags.on('enable') && flags.on('disable')) {
    throw new SallyportError('ERR_USAGE', '--enable and --disable exclude each other')
  }
  if (flags.on('enable')) return true
  return flags.on('disable') ? false : undefined
}
