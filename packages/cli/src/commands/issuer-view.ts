/**
 * Columns of outside issuers, and the options their commands share.
 * @module
 */
import {
  IssuerSettingsSchema,
  SallyportError,
  issuerAliasPattern,
  parser,
  type Issuer,
  type IssuerCheck,
  type IssuerSettings,
} from '@sallyport/protocol'
import { secretFromFile } from '../credentials/secret-file.ts'
import { column, type Column } from '../output/table.ts'
import type { JsonObject } from '../output/value.ts'
import type { ArgumentSpec, CommandContext, OptionSpec } from './command.ts'
import { secretFromFlag } from './secret-input.ts'

/** An issuer in a table. */
export const issuerColumns: Column[] = [
  column('ALIAS', 'alias'),
  column('KIND', 'kind'),
  column('ISSUER', 'issuer'),
  column('DISPLAY NAME', 'displayName'),
  column('ENABLED', 'enabled'),
]

/** The steps of a check in a table. */
export const checkColumns: Column[] = [
  column('STATUS', 'status'),
  column('CHECK', 'name'),
  column('MS', 'ms'),
  column('CAUSE', 'cause'),
  column('FIX', 'fix'),
]

/** `-n`. */
export const aliasOption: OptionSpec = {
  long: 'name',
  short: 'n',
  value: 'ALIAS',
  summary: 'short name of the issuer',
}

/** The alias without `-n`. */
export const aliasArgument: ArgumentSpec = {
  name: 'issuer',
  summary: 'short name of the issuer, instead of -n',
}

/** Options that set what an issuer is. */
export const settingsOptions: readonly OptionSpec[] = [
  { long: 'display-name', value: 'TEXT', summary: 'name on the button of the sign-in page' },
  { long: 'client-id', value: 'ID', summary: 'client id of this hub at the issuer' },
  {
    long: 'client-secret-file',
    value: 'FILE',
    summary: 'file with the client secret',
    complete: 'file',
  },
  {
    long: 'client-secret',
    value: 'SECRET',
    summary: 'client secret: @FILE, or - for stdin; better not the secret itself',
  },
  { long: 'public-client', summary: 'no client secret: forget a kept one' },
  {
    long: 'scopes',
    value: 'SCOPE',
    variadic: true,
    summary: 'scopes to ask for, instead of the defaults',
  },
  { long: 'groups-claim', value: 'CLAIM', summary: 'claim that lists the groups' },
  { long: 'name-claim', value: 'CLAIM', summary: 'claim with the display name' },
  { long: 'upn-claim', value: 'CLAIM', summary: 'claim with the user name' },
  { long: 'mail-claim', value: 'CLAIM', summary: 'claim with the mail address' },
  { long: 'groups-prefix', value: 'TEXT', summary: 'put before each group name; default ALIAS:' },
  { long: 'require-verified-mail', summary: 'nobody without a verified mail address' },
  {
    long: 'domains',
    value: 'DOMAIN',
    variadic: true,
    summary: 'only people with a verified address there',
  },
  {
    long: 'guest-tenants',
    value: 'TENANT',
    variadic: true,
    summary: 'entra: home tenants whose guests are let in; * for any',
  },
  {
    long: 'authority',
    value: 'URL',
    summary: 'entra: origin of sign-in in a cloud not known here',
  },
  {
    long: 'graph',
    value: 'URL',
    summary: 'entra: origin of Microsoft Graph in a cloud not known here',
  },
  {
    long: 'endpoint-hosts',
    value: 'HOST',
    variadic: true,
    summary: 'other hosts that may serve endpoints and keys of the issuer',
  },
  { long: 'skip-check', summary: 'save although the check fails' },
]

/** The alias, however it was given. @throws SallyportError ERR_USAGE. */
export function issuerAlias({ flags }: CommandContext): string {
  const alias = flags.text('name') ?? flags.required('issuer', '-n ALIAS')
  if (new RegExp(issuerAliasPattern).test(alias)) return alias
  throw new SallyportError('ERR_USAGE', `'${alias}' cannot be the alias of an issuer`, {
    remedy: 'use 1 to 32 lower-case letters, digits and hyphens, no hyphen at either end',
  })
}

const parseSettings = parser(IssuerSettingsSchema, 'the settings', 'ERR_USAGE')

/** `before`, changed by the options that were given. @throws SallyportError ERR_USAGE. */
export function settingsFrom(
  { flags }: CommandContext,
  before: Partial<IssuerSettings>,
): IssuerSettings {
  const claims = given({
    groups: flags.text('groups-claim'),
    name: flags.text('name-claim'),
    userPrincipalName: flags.text('upn-claim'),
    mail: flags.text('mail-claim'),
  })
  return parseSettings({
    ...before,
    ...given({
      displayName: flags.text('display-name'),
      clientId: flags.text('client-id'),
      scopes: flags.list('scopes'),
      groupsPrefix: flags.text('groups-prefix'),
      requireVerifiedMail: flags.on('require-verified-mail') ? true : undefined,
      domains: flags.list('domains'),
      guestTenants: flags.list('guest-tenants'),
      authority: flags.text('authority'),
      graph: flags.text('graph'),
      endpointHosts: flags.list('endpoint-hosts'),
    }),
    ...(Object.keys(claims).length === 0 ? {} : { claims: { ...before.claims, ...claims } }),
  })
}

function given(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}

/** What is settings in an issuer as it is shown. */
export function settingsOf(issuer: Issuer): IssuerSettings {
  const known = Object.entries(issuer).filter(([name]) =>
    Object.hasOwn(IssuerSettingsSchema.properties, name),
  )
  return parseSettings(Object.fromEntries(known))
}

/** The secret to save: undefined keeps the one there is, null forgets it. @throws SallyportError ERR_USAGE, ERR_FILE_ACCESS. */
export async function clientSecretFrom(
  context: CommandContext,
): Promise<string | null | undefined> {
  const { flags } = context
  if (flags.on('public-client')) return null
  const file = flags.text('client-secret-file')
  if (file !== undefined) return secretFromFile(file)
  const value = flags.text('client-secret')
  if (value === undefined) return undefined
  const { secret, wasVisible } = await secretFromFlag(value, context)
  if (wasVisible) {
    context.warn('other users of this machine could see --client-secret; use --client-secret-file')
  }
  return secret
}

/** An issuer as JSON to print. */
export const issuerView = (issuer: Issuer): JsonObject => ({ ...issuer })
/** A step of the check as JSON to print. */
export const checkView = (check: IssuerCheck): JsonObject => ({ ...check })

/** Says on stderr what the check only warned of. */
export function tellWarnings(context: CommandContext, checks: readonly IssuerCheck[]): void {
  for (const { name, status, cause, fix } of checks) {
    if (status !== 'warn') continue
    context.warn(`${name}: ${cause ?? ''}${fix === undefined ? '' : ` (${fix})`}`)
  }
}
