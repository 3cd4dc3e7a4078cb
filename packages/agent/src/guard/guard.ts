/**
 * The guard: the one function that turns verified claims into the identity Kubernetes sees. It rejects, it never repairs.
 * @module
 */
import { isGuid, limits, SallyportError } from '@sallyport/protocol'
import { fold, looksLikePart, looksLikeStart } from './fold.ts'

declare const guarded: unique symbol

/** An identity that passed the guard; nothing else makes one. Frozen. */
export interface Identity {
  readonly [guarded]: true
  /** `Impersonate-User`: the object id of the principal. */
  readonly user: string
  /** `Impersonate-Group`, sorted, no duplicates. */
  readonly groups: readonly string[]
  /** Session id, sent as the extra `sallyport.dev/sid`. */
  readonly sessionId: string
}

/** What the guard reads of verified claims; every member is checked again here, whatever verified them before. */
export interface GuardClaims {
  readonly oid?: unknown
  readonly groups?: unknown
  readonly sid?: unknown
}

/** Names (folded) nobody may take: Kubernetes' own, the cloud providers' own, ours. */
const reservedStarts = ['system:', 'kubeadm:', 'eks:', 'aks-', 'aks:', 'gke:', 'cc:', 'sallyport:']
const reservedParts = [':masters', 'kubeadm:cluster-admins']
const reservedNames = ['system']

// Other, unassigned and surrogate characters, and every separator but the plain space.
const unprintable = /\p{C}|(?! )\p{Z}/u
const uuid = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/

function refuse(subject: string, why: string): SallyportError {
  return new SallyportError('ERR_GUARD_IDENTITY', `${subject} may not be impersonated`, { why })
}

function checkName(value: unknown, subject: string): string {
  if (typeof value !== 'string') throw refuse(subject, 'it is not a string')
  const bytes = Buffer.byteLength(value, 'utf8')
  if (bytes < 1) throw refuse(subject, 'it is empty')
  if (bytes > limits.guardNameBytes)
    throw refuse(subject, `it is longer than ${limits.guardNameBytes} bytes`)
  if (!value.isWellFormed()) throw refuse(subject, 'it is not well-formed Unicode')
  if (value !== value.normalize('NFC')) throw refuse(subject, 'it is not in normal form C')
  if (unprintable.test(value)) throw refuse(subject, 'it has an unprintable character')
  // M7: Go trims header values, so a name with a space at an end arrives as another name.
  if (value.startsWith(' ') || value.endsWith(' '))
    throw refuse(subject, 'it begins or ends with a space')
  if (value.includes(',')) throw refuse(subject, 'it has a comma')
  checkReserved(fold(value), subject)
  return value
}

function checkReserved(folded: string, subject: string): void {
  if (
    folded === '' ||
    reservedNames.includes(folded) ||
    reservedStarts.some((start) => looksLikeStart(folded, start)) ||
    reservedParts.some((part) => looksLikePart(folded, part))
  )
    throw refuse(subject, 'it is, or looks like, a reserved name')
}

function checkUser(value: unknown): string {
  const user = checkName(value, 'the user name')
  // Without a prefix only the shape of an object id is accepted: no cluster has such names of its own.
  if (!isGuid(user)) throw refuse('the user name', 'it is not an object id')
  return user
}

/** The one place of the group limits; more is an error, never a truncation (a dropped group can hide a deny rule). */
function checkGroups(value: unknown): string[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) throw refuse('the list of groups', 'it is not an array')
  if (value.length > limits.guardGroups)
    throw refuse('the list of groups', `it has more than ${limits.guardGroups} groups`)
  const groups = Array.from(value, (group: unknown, index) => checkName(group, `group ${index}`))
  if (new Set(groups).size !== groups.length) throw refuse('the list of groups', 'it repeats one')
  const bytes = groups.reduce((sum, group) => sum + Buffer.byteLength(group, 'utf8'), 0)
  if (bytes > limits.guardGroupsBytes)
    throw refuse('the list of groups', `it is longer than ${limits.guardGroupsBytes} bytes`)
  return groups.sort()
}

/**
 * Maps verified claims to an identity (rules: docs/threat-model.md, the guard).
 * @throws SallyportError ERR_GUARD_IDENTITY for the first string that may not be impersonated; the session is refused as a whole.
 */
export function guard(claims: GuardClaims): Identity {
  const own = (name: keyof GuardClaims): unknown =>
    Object.hasOwn(claims, name) ? claims[name] : undefined
  if (Object.hasOwn(claims, '_claim_names') && own('groups') === undefined)
    throw refuse('the list of groups', 'the token carries a reference instead of the groups')
  const sessionId = own('sid')
  if (typeof sessionId !== 'string' || !uuid.test(sessionId))
    throw refuse('the session', 'its id is not a UUID')
  return Object.freeze({
    user: checkUser(own('oid')),
    groups: Object.freeze(checkGroups(own('groups'))),
    sessionId,
  }) as Identity
}
