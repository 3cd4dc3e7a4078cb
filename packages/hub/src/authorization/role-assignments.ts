/**
 * Role assignments in the store: found and listed.
 * @module
 */
import type { Kysely } from 'kysely'
import type { Database } from '../store/database.ts'
import { rangeBelow, scopeChain, scopeKey, type Scope } from './scopes.ts'
import type { RoleAssignmentTable } from './tables.ts'

/** The assignment with this lower-case GUID at a scope, undefined when there is none. */
export async function findAssignment(
  db: Kysely<Database>,
  at: { id: string; scopeKey: string },
): Promise<RoleAssignmentTable | undefined> {
  return db
    .selectFrom('role_assignments')
    .selectAll()
    .where('assignment_id', '=', at.id)
    .where('scope_key', '=', at.scopeKey)
    .executeTakeFirst()
}

/** Which assignments a list shows. */
export interface AssignmentQuery {
  scope: Scope
  /** Without those below the scope. */
  atScope: boolean
  /** Only those of these principals. */
  principalIds: string[] | undefined
  /** Id of the last assignment of the page before. */
  after: string | undefined
  limit: number
}

/** Assignments that apply at a scope: at it, above it, and (unless `atScope`) below it, by id. */
export async function listAssignments(
  db: Kysely<Database>,
  wanted: AssignmentQuery,
): Promise<RoleAssignmentTable[]> {
  const { from, to } = rangeBelow(scopeKey(wanted.scope))
  const { principalIds, after } = wanted
  let query = db
    .selectFrom('role_assignments')
    .selectAll()
    .where((eb) => {
      const here = eb('scope_key', 'in', scopeChain(wanted.scope))
      if (wanted.atScope) return here
      return eb.or([here, eb.and([eb('scope_key', '>', from), eb('scope_key', '<', to)])])
    })
  if (principalIds !== undefined) query = query.where('principal_id', 'in', principalIds)
  if (after !== undefined) query = query.where('assignment_id', '>', after)
  return query.orderBy('assignment_id').limit(wanted.limit).execute()
}
