/**
 * Gate 1 by role assignments: administrators may do everything, everybody else what a role at the scope or above allows.
 * @module
 */
import type { Kysely } from 'kysely'
import type { Principal } from '../identity/principal.ts'
import type { Database } from '../store/database.ts'
import type { Action } from './actions.ts'
import type { AccessPolicy } from './authorize.ts'
import { covers, grantsAt, grantsBelow, idsOf } from './granted.ts'
import { roleAllows } from './roles.ts'
import { isWithin, parseScope, scopeChain, type Scope } from './scopes.ts'

/** What decisions are made from. */
export interface PolicyParts {
  db: Kysely<Database>
  /** Unix milliseconds. */
  now: () => number
}

/**
 * What roles can give. The rest, such as users and outside issuers, is for administrators: whoever decides who signs in could
 * sign in as one, and no wildcard of a role shall reach that.
 */
const givenByRoles = /^(microsoft\.(resources|kubernetes|authorization)|sallyport\/sessions)\//i

/** Makes the policy. */
export function createRolePolicy({ db, now }: PolicyParts): AccessPolicy {
  return async ({ principal, action, scope, reach }) => {
    if (principal.administrator || reach === 'anyone') return true
    const at = parseScope(scope)
    if (at === undefined || !givenByRoles.test(action)) return false
    const question = { ids: idsOf(principal), now: now() }
    if (covers(await grantsAt(db, question, at), action)) return true
    return reach === 'below' && covers(await grantsBelow(db, question, at), action)
  }
}

/** Tells what of a list a principal may see: whether an action is allowed at a scope, or (`below`) somewhere at or below it. */
export interface Visibility {
  at: (scope: Scope) => boolean
  below: (scope: Scope) => boolean
}

/** Reads once what a principal may see of everything in `within`; a list asks it for each row. */
export async function visibilityOf(
  { db, now }: PolicyParts,
  principal: Principal,
  asked: { action: Action; within: Scope },
): Promise<Visibility> {
  if (principal.administrator) return { at: () => true, below: () => true }
  const question = { ids: idsOf(principal), now: now() }
  const grants = [
    ...(await grantsAt(db, question, asked.within)),
    ...(await grantsBelow(db, question, asked.within)),
  ]
  const keys = grants
    .filter(({ role }) => roleAllows(role.permissions, asked.action))
    .map(({ assignment }) => assignment.scope_key)
  const granted = new Set(keys)
  const at = (scope: Scope): boolean => scopeChain(scope).some((key) => granted.has(key))
  return {
    at,
    below: (scope) => {
      const key = scopeChain(scope).at(-1) ?? '/'
      return at(scope) || keys.some((one) => isWithin(one, key))
    },
  }
}
