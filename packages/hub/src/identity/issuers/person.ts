/**
 * Who a verified ID token says somebody is, by the settings of its issuer.
 * @module
 */
import { limits, nameProblem } from '@sallyport/protocol'
import { isDisplayName, isUserPrincipalName } from '../directory/names.ts'
import { domainOf, listClaim, refused, textClaim, verifiedMail } from './claims.ts'
import { outsideObjectId } from './object-id.ts'
import type { OutsideIssuer } from './outside-issuer.ts'
import type { JsonObject } from './strict-json.ts'

/** A person as an outside issuer describes them. Only `subject` says who it is; the rest is for people and for groups. */
export interface OutsidePerson {
  /** With the issuer the key of the account (T-JWT-7). */
  subject: string
  /** Lower-case GUID, the same at every sign-in. */
  objectId: string
  /** The name the person would like to have, in the shape of ours. */
  userPrincipalName: string | undefined
  displayName: string
  mail: string | undefined
  /** As the cluster will see them, sorted, without repetition. */
  groups: string[]
}

/** @throws SallyportError ERR_ISSUER_REFUSED for whoever the settings do not let in, and for names that may not be. */
export function readPerson(issuer: OutsideIssuer, claims: JsonObject): OutsidePerson {
  const subject = textClaim(claims, 'sub') ?? ''
  checkMail(issuer, claims)
  // A reference instead of groups would be "no groups" to whoever does not look (X034).
  if (Object.hasOwn(claims, '_claim_names') || Object.hasOwn(claims, 'hasgroups')) {
    throw refused(
      'the issuer sent a reference instead of the groups; let it send fewer groups, those that matter to clusters',
    )
  }
  return {
    subject,
    objectId: outsideObjectId(issuer.issuer, subject),
    ...readNames(issuer, claims, subject),
    groups: prefixed(issuer, listClaim(claims, issuer.claims.groups)),
  }
}

function checkMail(issuer: OutsideIssuer, claims: JsonObject): void {
  if (!issuer.requireVerifiedMail && issuer.domains.length === 0) return
  const mail = verifiedMail(claims, issuer.claims.mail)
  if (mail === undefined) throw refused('the issuer does not say that it has verified your address')
  const domain = domainOf(mail)
  const isAllowed =
    issuer.domains.length === 0 || (domain !== undefined && issuer.domains.includes(domain))
  if (!isAllowed) throw refused('your address is in no domain that is let in here')
}

/** Names, which identify nobody: what does not fit our shape is left out, what could fool a reader is refused. */
export function readNames(
  issuer: OutsideIssuer,
  claims: JsonObject,
  subject: string,
): Pick<OutsidePerson, 'userPrincipalName' | 'displayName' | 'mail'> {
  const claimed = textClaim(claims, issuer.claims.userPrincipalName)
  const mail = verifiedMail(claims, issuer.claims.mail)
  const displayName = textClaim(claims, issuer.claims.name) ?? claimed ?? subject
  if (!isDisplayName(displayName)) throw refused('your name has characters that cannot be shown')
  return {
    userPrincipalName: userPrincipalNameOf(issuer, claimed),
    displayName,
    mail: mail !== undefined && isUserPrincipalName(mail) ? mail : undefined,
  }
}

/** `alice` of the issuer `dex` is `alice@dex`; a whole address stays, but in the domains of the issuer when it has some. */
function userPrincipalNameOf(
  issuer: OutsideIssuer,
  claimed: string | undefined,
): string | undefined {
  if (claimed === undefined) return undefined
  const name = claimed.includes('@') ? claimed : `${claimed}@${issuer.alias}`
  if (!isUserPrincipalName(name)) return undefined
  const domain = domainOf(name) ?? ''
  const isForeign =
    claimed.includes('@') && issuer.domains.length > 0 && !issuer.domains.includes(domain)
  return isForeign ? undefined : name
}

/**
 * Group names with the prefix of the issuer. One that may not be refuses the person: leaving it out would be another policy
 * than the one the issuer meant.
 */
export function prefixed(issuer: OutsideIssuer, names: readonly string[]): string[] {
  const unique = [...new Set(names)]
  const groups = unique.map((name) => `${issuer.groupsPrefix}${name}`)
  if (groups.length > limits.groupsPerPrincipal) {
    throw refused(`you are in more than ${limits.groupsPerPrincipal} groups`)
  }
  for (const [index, group] of groups.entries()) {
    const problem = nameProblem(unique[index]) ?? nameProblem(group)
    if (problem !== undefined) {
      throw refused(
        `one of your groups may not be named in a cluster: ${JSON.stringify(group.slice(0, 80))}, ${problem}`,
      )
    }
  }
  return groups.sort()
}
