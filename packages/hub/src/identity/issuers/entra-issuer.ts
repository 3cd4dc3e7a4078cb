/**
 * Which tenant of which Microsoft cloud an issuer is, read from its `iss`.
 * @module
 */

/** Tenant of personal Microsoft accounts: anybody may have one. */
export const personalTenant = '9188040d-6c67-4c5b-b112-36a304b66dad'

/** A tenant as an issuer. */
export interface EntraTenant {
  /** Lower-case GUID. */
  tenantId: string
  /** Shape of its tokens. */
  version: '1.0' | '2.0'
  /** Origin of sign-in; its host may serve endpoints and keys. */
  authority: string
  /** Origin of Microsoft Graph. */
  graph: string
}

interface Cloud {
  authority: string
  graph: string
}

const world: Cloud = {
  authority: 'https://login.microsoftonline.com',
  graph: 'https://graph.microsoft.com',
}
const china = 'https://microsoftgraph.chinacloudapi.cn'

/** Clouds by the host of `iss`: of v2.0 tokens the sign-in service, of v1.0 tokens the security token service. */
const clouds: Readonly<Record<string, Cloud>> = {
  'login.microsoftonline.com': world,
  'sts.windows.net': world,
  'login.microsoftonline.us': {
    authority: 'https://login.microsoftonline.us',
    graph: 'https://graph.microsoft.us',
  },
  'login.partner.microsoftonline.cn': {
    authority: 'https://login.partner.microsoftonline.cn',
    graph: china,
  },
  'login.chinacloudapi.cn': { authority: 'https://login.chinacloudapi.cn', graph: china },
  'sts.chinacloudapi.cn': { authority: 'https://login.chinacloudapi.cn', graph: china },
}

const tenantPath = /^\/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(\/v2\.0|\/)$/

/** The tenant, or why this is not the issuer of one. `common` and its like are issuers of everybody (T-JWT-4). */
export function readEntraIssuer(
  issuer: string,
  configured: { authority?: string | undefined; graph?: string | undefined },
): EntraTenant | string {
  const url = URL.parse(issuer)
  if (url === null) return 'it is not a URL'
  if (/^\/(common|organizations|consumers)(\/|$)/i.test(url.pathname)) {
    return 'common, organizations and consumers are no tenant: name the one whose people may sign in'
  }
  const [, tenantId, ending] = tenantPath.exec(url.pathname) ?? []
  if (tenantId === undefined) {
    return 'it has to be https://login.microsoftonline.com/TENANT/v2.0 or https://sts.windows.net/TENANT/ with the id of the tenant in lower case'
  }
  if (tenantId === personalTenant) return 'it is the tenant of personal accounts: anybody has one'
  const cloud = clouds[url.host]
  const authority = configured.authority ?? cloud?.authority
  const graph = configured.graph ?? cloud?.graph
  if (authority === undefined || graph === undefined) {
    return `${url.host} is no Microsoft cloud known here: give authority and graph too`
  }
  return { tenantId, version: ending === '/v2.0' ? '2.0' : '1.0', authority, graph }
}
