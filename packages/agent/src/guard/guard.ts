/**
 * The guard: the one function that turns verified claims into the identity Kubernetes sees. It rejects, it never repairs.
 * @module
 */
import { isGuid, limits, nameProblem, SallyportError } from '@sallyport/protocol'

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

const uuid = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/

function refuse(subject: string, why: string): SallyportError {
  return new SallyportError('ERR_GUARD_IDENTITY', `${subject} may not be impersonated`, { why })
}

function checkName(value: unknown, subject: string): string {
  const problem = nameProblem(value)
  if (problem !== undefined || typeof value !== 'string') throw refuse(subject, problem ?? '')
  return value
}

function checkUser(value: unknown): string {
  const user = checkName(value, 'the user name')
  // Without a prefix only the shape of an object id is accepted: no cluster has such names of its own.
  if (!isGuid(user)) throw refuse('the user name', 'it is not an object id')
  return user
}

/** Every name is checked, whether it is sent or not; how many are sent is decided later (`groups/group-selection.ts`). */
function checkGroups(value: unknown): string[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) throw refuse('the list of groups', 'it is not an array')
  if (value.length > limits.groupsPerPrincipal)
    throw refuse('the list of groups', `it has more than ${limits.groupsPerPrincipal} groups`)
  const groups = Array.from(value, (group: unknown, index) => checkName(group, `group ${index}`))
  if (new Set(groups).size !== groups.length) throw refuse('the list of groups', 'it repeats one')
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

/** The same identity with those of its groups that `keeps`: never another user, never a group it did not have. */
export function narrow(identity: Identity, keeps: (group: string) => boolean): Identity {
  return Object.freeze({
    user: identity.user,
    groups: Object.freeze(identity.groups.filter(keeps)),
    sessionId: identity.sessionId,
  }) as Identity
}
