/**
 * An outside issuer as the hub uses it: settings with their defaults filled in, checked against each other.
 * @module
 */
import { nameProblem, SallyportError, type IssuerSettings } from '@sallyport/protocol'
import { readEntraIssuer, type EntraTenant } from './entra-issuer.ts'

/** Names of the claims that say who somebody is. */
export interface ClaimNames {
  groups: string
  name: string
  userPrincipalName: string
  mail: string
}

/** An outside issuer; `tenant` is there exactly for Entra. */
export interface OutsideIssuer {
  alias: string
  displayName: string
  issuer: string
  clientId: string
  enabled: boolean
  scopes: readonly string[]
  claims: ClaimNames
  groupsPrefix: string
  requireVerifiedMail: boolean
  /** Lower case. */
  domains: readonly string[]
  /** Hosts that may serve endpoints and keys. */
  hosts: readonly string[]
  tenant: EntraTenant | undefined
  /** Lower-case GUIDs, or `*`. */
  guestTenants: readonly string[]
  /** As they were given. */
  settings: IssuerSettings
  createdAt: number
  modifiedAt: number
}

/** Issuers whose endpoints are known to be elsewhere. */
const knownHosts: Readonly<Record<string, readonly string[]>> = {
  'https://accounts.google.com': ['oauth2.googleapis.com', 'www.googleapis.com'],
}

const inherited = ['__proto__', 'constructor', 'prototype']

/**
 * Fills in the defaults.
 * @throws SallyportError ERR_ARM_INVALID_REQUEST naming the setting that cannot be.
 */
export function resolveIssuer(
  alias: string,
  settings: IssuerSettings,
  times: { createdAt: number; modifiedAt: number },
): OutsideIssuer {
  const url = checkedUrl(settings.issuer)
  const tenant = checkedTenant(settings)
  const claims = claimNames(settings, tenant)
  checkClaims(claims)
  const groupsPrefix = checkedPrefix(alias, settings, tenant)
  return {
    alias,
    displayName: settings.displayName ?? alias,
    issuer: settings.issuer,
    clientId: settings.clientId,
    enabled: settings.enabled ?? true,
    scopes: settings.scopes ?? defaultScopes(settings.issuer, tenant),
    claims,
    groupsPrefix,
    requireVerifiedMail: settings.requireVerifiedMail ?? false,
    domains: (settings.domains ?? []).map((domain) => domain.toLowerCase()),
    hosts: hostsOf(url, settings, tenant),
    tenant,
    guestTenants: (settings.guestTenants ?? []).map((tenantId) => tenantId.toLowerCase()),
    settings,
    ...times,
  }
}

function hostsOf(url: URL, settings: IssuerSettings, tenant: EntraTenant | undefined): string[] {
  return [
    url.hostname,
    ...(tenant === undefined ? [] : [new URL(tenant.authority).hostname]),
    ...(knownHosts[settings.issuer] ?? []),
    ...(settings.endpointHosts ?? []).map((host) => host.toLowerCase()),
  ]
}

function checkedPrefix(
  alias: string,
  settings: IssuerSettings,
  tenant: EntraTenant | undefined,
): string {
  const prefix = settings.groupsPrefix ?? (tenant === undefined ? `${alias}:` : '')
  const problem = prefix === '' ? undefined : nameProblem(`${prefix}group`)
  if (problem !== undefined) throw invalid('groupsPrefix', `no group may have it: ${problem}`)
  if (prefix === '' && tenant === undefined) {
    throw invalid('groupsPrefix', 'only the groups of entra need none: they are GUIDs')
  }
  return prefix
}

/** X066: an issuer is compared byte by byte, so only the one way to write a URL is taken. */
function checkedUrl(issuer: string): URL {
  const url = URL.parse(issuer)
  if (url === null) throw invalid('issuer', 'it is not a URL')
  const written = url.pathname === '/' && !issuer.endsWith('/') ? url.origin : url.href
  if (written !== issuer) throw invalid('issuer', `write it as ${written}`)
  return url
}

function checkedTenant(settings: IssuerSettings): EntraTenant | undefined {
  if (settings.kind === 'entra') {
    const read = readEntraIssuer(settings.issuer, settings)
    if (typeof read === 'string') throw invalid('issuer', read)
    if (settings.claims !== undefined) throw invalid('claims', 'those of entra are fixed')
    if (settings.domains !== undefined || settings.requireVerifiedMail !== undefined) {
      throw invalid('domains', 'Entra verifies no mail address: its tenant is what is checked')
    }
    return read
  }
  for (const name of ['guestTenants', 'authority', 'graph'] as const) {
    if (settings[name] !== undefined) throw invalid(name, 'it belongs to the kind entra')
  }
  return undefined
}

function claimNames(settings: IssuerSettings, tenant: EntraTenant | undefined): ClaimNames {
  const userPrincipalName = tenant?.version === '1.0' ? 'upn' : 'preferred_username'
  return {
    groups: 'groups',
    name: 'name',
    userPrincipalName,
    mail: 'email',
    ...settings.claims,
  }
}

function checkClaims(claims: ClaimNames): void {
  for (const [member, name] of Object.entries(claims) as [string, string][]) {
    const parts = name.split('.')
    if (parts.some((part) => part === '' || inherited.includes(part))) {
      throw invalid(`claims.${member}`, 'it is not the name of a claim')
    }
  }
}

/** Graph's scope lets the hub ask for the groups of the person who signs in, and of nobody else. */
function defaultScopes(issuer: string, tenant: EntraTenant | undefined): string[] {
  if (tenant?.version === '2.0') {
    return ['openid', 'profile', 'email', `${tenant.graph}/User.Read`]
  }
  if (tenant !== undefined) return ['openid', 'profile', 'email']
  // Google and Okta refuse scopes they do not know; Keycloak, Dex and Okta know `groups`, Google does not.
  const isGoogle = issuer === 'https://accounts.google.com'
  return ['openid', 'profile', 'email', ...(isGoogle ? [] : ['groups'])]
}

function invalid(target: string, why: string): SallyportError {
  return new SallyportError(
    'ERR_ARM_INVALID_REQUEST',
    `The setting '${target}' is not valid: ${why}.`,
    { target },
  )
}
