/**
 * Who an ID token of Microsoft Entra says somebody is: v1.0 and v2.0 tokens, guests, and groups that did not fit in.
 * @module
 */
import { isGuid } from '@sallyport/protocol'
import { listClaim, refused, textClaim } from './claims.ts'
import { personalTenant, type EntraTenant } from './entra-issuer.ts'
import type { OutsideIssuer } from './outside-issuer.ts'
import { prefixed, readNames, type OutsidePerson } from './person.ts'
import { isJsonObject, type JsonObject } from './strict-json.ts'

/** Asks Graph for the groups of the person who signs in. */
export type GroupsOfMe = () => Promise<string[]>

/**
 * @param groupsOfMe called when the token has too many groups to carry them.
 * @throws SallyportError ERR_ISSUER_REFUSED, ERR_ISSUER_UNREACHABLE when Graph does not answer.
 */
export async function readEntraPerson(
  issuer: OutsideIssuer & { tenant: EntraTenant },
  claims: JsonObject,
  groupsOfMe: GroupsOfMe,
): Promise<OutsidePerson> {
  const { tenant } = issuer
  if (textClaim(claims, 'ver') !== tenant.version) {
    throw refused(`the token is not of version ${tenant.version}`)
  }
  checkTenant(issuer, claims)
  if (isAppOnly(claims)) throw refused('the token is one of an application, not of a person')
  // `sub` differs from client to client; the object id is the person in this tenant.
  const objectId = textClaim(claims, 'oid')?.toLowerCase() ?? ''
  if (!isGuid(objectId)) throw refused('the token has no object id')
  const names = isOverage(claims) ? await groupsOfMe() : listClaim(claims, issuer.claims.groups)
  return {
    subject: objectId,
    objectId,
    ...readNames(issuer, claims, objectId),
    groups: prefixed(issuer, checkedGroups(issuer, names)),
  }
}

function checkTenant(issuer: OutsideIssuer & { tenant: EntraTenant }, claims: JsonObject): void {
  const tid = textClaim(claims, 'tid')
  if (tid === personalTenant) throw refused('personal Microsoft accounts are not let in')
  if (tid !== issuer.tenant.tenantId) throw refused('the token is of another tenant')
  const home = homeTenant(issuer.tenant, claims)
  if (home === undefined) return
  const isLetIn = issuer.guestTenants.includes('*') || issuer.guestTenants.includes(home)
  if (!isLetIn) throw refused('guests of the tenant are not let in here')
}

/** Tenant a guest comes from, `unknown` when the token does not tell; undefined for members (T-JWT-5). */
function homeTenant(tenant: EntraTenant, claims: JsonObject): string | undefined {
  const acct = Object.hasOwn(claims, 'acct') ? claims['acct'] : 0
  const idp = textClaim(claims, 'idp')
  const [, home] = /^https:\/\/[^/]+\/([0-9a-f-]{36})\/?(?:v2\.0\/?)?$/i.exec(idp ?? '') ?? []
  const isForeign = idp !== undefined && home?.toLowerCase() !== tenant.tenantId
  if (acct === 0 && !isForeign) return undefined
  return home !== undefined && isForeign ? home.toLowerCase() : 'unknown'
}

/** Application tokens say so when asked to (`idtyp`), and else by naming the application as their subject. */
function isAppOnly(claims: JsonObject): boolean {
  const idtyp = Object.hasOwn(claims, 'idtyp') ? claims['idtyp'] : 'user'
  return idtyp !== 'user' || (Object.hasOwn(claims, 'oid') && claims['oid'] === claims['sub'])
}

/** `_claim_names` names the groups, or `hasgroups` says there are some: they are elsewhere. The address there is never used. */
function isOverage(claims: JsonObject): boolean {
  const names = Object.hasOwn(claims, '_claim_names') ? claims['_claim_names'] : undefined
  const hasReference = isJsonObject(names) && Object.hasOwn(names, 'groups')
  const hasGroups = Object.hasOwn(claims, 'hasgroups') ? claims['hasgroups'] : false
  return hasReference || hasGroups === true || hasGroups === 'true'
}

/** Without a prefix only object ids: a group that was synchronised by name could have any. */
function checkedGroups(issuer: OutsideIssuer, names: readonly string[]): string[] {
  if (issuer.groupsPrefix !== '') return [...names]
  const odd = names.find((name) => !isGuid(name))
  if (odd === undefined) return names.map((name) => name.toLowerCase())
  throw refused(
    'the token names groups by name; let Entra send their ids, or set a groups prefix for this issuer',
  )
}
