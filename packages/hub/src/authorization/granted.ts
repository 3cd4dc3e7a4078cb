/**
 * What assignments grant a principal: where, and whether it is enough. Read from the store for every question, so that a
 * change holds from the next request on.
 * @module
 */
import type { Kysely } from 'kysely'
import { isGuid } from '@sallyport/protocol'
import type { Principal } from '../identity/principal.ts'
import type { Database } from '../store/database.ts'
import { builtInRole } from './built-in-roles.ts'
import { findRole } from './role-definitions.ts'
import { roleAllows, type ActionKind, type RoleDefinition } from './roles.ts'
import { rangeBelow, scopeChain, scopeKey, type Scope } from './scopes.ts'
import type { RoleAssignmentTable } from './tables.ts'

/** An assignment in force, with its role. */
export interface Grant {
  assignment: RoleAssignmentTable
  role: RoleDefinition
}

/** Whose assignments, at which moment. */
export interface GrantQuestion {
  /** Object ids of the principal and of its groups. */
  ids: readonly string[]
  now: number
}

/** Ids in one query: far below what any store takes as parameters. */
const idsPerQuery = 500

/** Every id whose assignments are the principal's. Names of outside groups are none: roles go to objects of the directory. */
export function idsOf(principal: Principal): string[] {
  return [principal.objectId, ...principal.groups.filter(isGuid)].map((id) => id.toLowerCase())
}

/** Grants at a scope and above it. */
export async function grantsAt(
  db: Kysely<Database>,
  question: GrantQuestion,
  scope: Scope,
): Promise<Grant[]> {
  return collect(db, question, { keys: scopeChain(scope) })
}

/** Grants below a scope. */
export async function grantsBelow(
  db: Kysely<Database>,
  question: GrantQuestion,
  scope: Scope,
): Promise<Grant[]> {
  return collect(db, question, { below: scopeKey(scope) })
}

/** Whether one of the grants covers an action. */
export function covers(grants: readonly Grant[], action: string, kind?: ActionKind): boolean {
  return grants.some(({ role }) => roleAllows(role.permissions, action, kind))
}

async function collect(
  db: Kysely<Database>,
  question: GrantQuestion,
  where: { keys: string[] } | { below: string },
): Promise<Grant[]> {
  const grants: Grant[] = []
  for (let start = 0; start < question.ids.length; start += idsPerQuery) {
    let query = db
      .selectFrom('role_assignments')
      .selectAll()
      .where('principal_id', 'in', question.ids.slice(start, start + idsPerQuery))
      .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', question.now)]))
    if ('keys' in where) query = query.where('scope_key', 'in', where.keys)
    else {
      const { from, to } = rangeBelow(where.below)
      query = query.where('scope_key', '>', from).where('scope_key', '<', to)
    }
    grants.push(...(await withRoles(db, await query.execute())))
  }
  return grants
}

/** An assignment whose role is gone grants nothing. */
async function withRoles(
  db: Kysely<Database>,
  assignments: RoleAssignmentTable[],
): Promise<Grant[]> {
  const roles = new Map<string, RoleDefinition | undefined>()
  const grants: Grant[] = []
  for (const assignment of assignments) {
    const { role_id: id } = assignment
    if (!roles.has(id)) roles.set(id, builtInRole(id) ?? (await findRole(db, id)))
    const role = roles.get(id)
    if (role !== undefined) grants.push({ assignment, role })
  }
  return grants
}
