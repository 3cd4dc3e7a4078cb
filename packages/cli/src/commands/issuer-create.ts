/**
 * `sallyport issuer create`.
 * @module
 */
import { SallyportError, isSallyportError } from '@sallyport/protocol'
import { getIssuer, putIssuer } from '../hub/issuers.ts'
import { openHub, type HubSession } from '../hub/session.ts'
import type { Command } from './command.ts'
import {
  aliasArgument,
  aliasOption,
  clientSecretFrom,
  issuerAlias,
  issuerColumns,
  issuerView,
  settingsFrom,
  settingsOptions,
  tellWarnings,
} from './issuer-view.ts'

/** Adds an outside issuer. */
export const issuerCreate: Command = {
  summary: 'let people sign in with an outside issuer',
  description: [
    'Entra, Keycloak, Okta, Google, Dex, or any other OpenID provider: see docs/outside-issuers.md.',
    'The hub checks the issuer before it saves it.',
  ],
  arguments: [aliasArgument],
  options: [
    aliasOption,
    {
      long: 'kind',
      value: 'KIND',
      summary: 'entra or oidc; default: by the address',
      complete: ['entra', 'oidc'],
    },
    { long: 'issuer-url', value: 'URL', summary: 'iss of its tokens, exactly' },
    ...settingsOptions,
  ],
  examples: [
    {
      what: 'Entra',
      line: 'sallyport issuer create corp --issuer-url https://login.microsoftonline.com/TENANT/v2.0 --client-id ID --client-secret-file secret.txt',
    },
    {
      what: 'Keycloak',
      line: 'sallyport issuer create keycloak --issuer-url https://sso.example.com/realms/main --client-id sallyport --client-secret @secret.txt',
    },
  ],
  run: async (context) => {
    const { flags } = context
    const alias = issuerAlias(context)
    const issuer = flags.required('issuer-url')
    const kind = checkedKind(flags.text('kind') ?? kindOf(issuer))
    flags.required('client-id')
    const settings = settingsFrom(context, { kind, issuer })
    const clientSecret = await clientSecretFrom(context)
    await using hub = await openHub(context)
    await demandFree(hub, alias)
    const { checks, ...saved } = await putIssuer(hub, alias, {
      ...settings,
      ...(clientSecret === undefined ? {} : { clientSecret }),
      ...(flags.on('skip-check') ? { skipCheck: true } : {}),
    })
    tellWarnings(context, checks)
    context.say(`register this redirect address there: ${saved.redirectUri}`)
    await context.print(issuerView(saved), issuerColumns)
    return 0
  },
}

function kindOf(issuer: string): string {
  const host = URL.parse(issuer)?.host ?? ''
  return /(^|\.)(microsoftonline\.(com|us|cn)|sts\.windows\.net|chinacloudapi\.cn)$/.test(host)
    ? 'entra'
    : 'oidc'
}

function checkedKind(kind: string): 'entra' | 'oidc' {
  if (kind === 'entra' || kind === 'oidc') return kind
  throw new SallyportError('ERR_USAGE', `'${kind}' is not a kind of issuer`, {
    remedy: 'use entra or oidc',
  })
}

/** PUT would change one that is there already. */
async function demandFree(hub: HubSession, alias: string): Promise<void> {
  try {
    await getIssuer(hub, alias)
  } catch (error) {
    if (isSallyportError(error) && error.code === 'ERR_ARM_NOT_FOUND') return
    throw error
  }
  throw new SallyportError('ERR_ARM_CONFLICT', `there is an outside issuer '${alias}' already`, {
    remedy: `change it: sallyport issuer update ${alias}`,
  })
}
