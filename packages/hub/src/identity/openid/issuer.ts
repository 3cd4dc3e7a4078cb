/**
 * The two issuers of a hub and their paths: the tenant, and `/adfs`, where older Azure CLIs expect no tenant.
 * @module
 */
import type { Provider } from 'oidc-provider'

/** Paths of one issuer, under the names `oidc-provider` has for them. */
export interface IssuerPaths {
  token: string
  jwks: string
  authorization: string
  device_authorization: string
  /** The page for device codes: one for all issuers. */
  code_verification: string
  revocation: string
  end_session: string
}

/** An issuer and its provider, which is made anew when keys rotate. */
export interface Issuer {
  issuer: string
  paths: IssuerPaths
  provider: () => Provider
}

/** Where people enter a device code. */
export const devicePath = '/device'

/** Issuer and paths of the tenant. */
export function tenantIssuer(publicUrl: string, tenantId: string): Omit<Issuer, 'provider'> {
  return {
    issuer: `${publicUrl}/${tenantId}/v2.0`,
    paths: {
      jwks: `/${tenantId}/discovery/v2.0/keys`,
      ...pathsUnder(`/${tenantId}/oauth2/v2.0`),
    },
  }
}

/** Issuer and paths under `/adfs`. */
export function adfsIssuer(publicUrl: string): Omit<Issuer, 'provider'> {
  return {
    issuer: `${publicUrl}/adfs`,
    paths: { jwks: '/adfs/discovery/keys', ...pathsUnder('/adfs/oauth2') },
  }
}

function pathsUnder(base: string): Omit<IssuerPaths, 'jwks'> {
  return {
    token: `${base}/token`,
    authorization: `${base}/authorize`,
    device_authorization: `${base}/devicecode`,
    code_verification: devicePath,
    revocation: `${base}/revoke`,
    end_session: `${base}/logout`,
  }
}

/** The issuer a path names: the tenant id, `common`, `organizations`, `adfs`; case does not matter. */
export function issuerOf(
  issuers: { tenantId: string; tenant: Issuer; adfs: Issuer },
  name: string,
): Issuer | undefined {
  const wanted = name.toLowerCase()
  if (wanted === 'adfs') return issuers.adfs
  const known = [issuers.tenantId, 'common', 'organizations']
  return known.includes(wanted) ? issuers.tenant : undefined
}
