/**
 * What a person reads on stdout at start: address, fingerprint, and once the first administrator.
 * @module
 */
import type { AdministratorCredentials } from '../identity/first-administrator.ts'
import type { TlsMaterial } from './tls-material.ts'

/** What the texts name. */
export interface StartupFacts {
  publicUrl: string
  tls: Pick<TlsMaterial, 'fingerprint' | 'fingerprintOf'>
  tenantId: string
  subscriptionId: string
}

/** Lines of every start. */
export function readyText(
  program: 'hub' | 'relay',
  facts: Pick<StartupFacts, 'publicUrl' | 'tls'>,
): string {
  return `${program} ready at ${facts.publicUrl}\n${facts.tls.fingerprintOf} fingerprint ${facts.tls.fingerprint}\n`
}

/** The administrator's credentials and the command that uses them; the secret goes by environment, because arguments are visible to others. */
export function administratorText(
  credentials: AdministratorCredentials,
  facts: StartupFacts,
): string {
  return `
administrator (shown once, keep the secret):
  tenant         ${facts.tenantId}
  subscription   ${facts.subscriptionId}
  object id      ${credentials.objectId}
  client id      ${credentials.clientId}
  client secret  ${credentials.clientSecret}

sign in with:
  ${loginLine(credentials, facts)}

`
}

function loginLine(credentials: AdministratorCredentials, facts: StartupFacts): string {
  return [
    `SALLYPORT_CLIENT_SECRET=${credentials.clientSecret}`,
    `sallyport login --service-principal -u ${credentials.clientId} --tenant ${facts.tenantId}`,
    `--hub ${facts.publicUrl} --hub-fingerprint ${facts.tls.fingerprint}`,
  ].join(' ')
}

/** The same as a file for programs. */
export function administratorJson(
  credentials: AdministratorCredentials,
  facts: StartupFacts,
): string {
  const { publicUrl, tls, tenantId, subscriptionId } = facts
  const value = {
    hub: publicUrl,
    fingerprint: tls.fingerprint,
    tenantId,
    subscriptionId,
    ...credentials,
  }
  return `${JSON.stringify(value, undefined, 2)}\n`
}
