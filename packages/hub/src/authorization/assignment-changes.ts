/**
 * Role assignments made, changed and deleted, each in one transaction together with what it ends.
 * @module
 */
import type { Kysely, Transaction } from 'kysely'
import { SallyportError } from '@sallyport/protocol'
import type { Database } from '../store/database.ts'
import { findAssignee, type PrincipalType } from './assignees.ts'
import type { Grant } from './granted.ts'
import { cutOff } from './loss-of-access.ts'
import { findAssignment } from './role-assignments.ts'
import { findRole, isAssignableAt, requireRole } from './role-definitions.ts'
import { rangeBelow } from './scopes.ts'
import type { RoleAssignmentTable } from './tables.ts'

/** A checked PUT. */
export interface AssignmentInput {
  /** Lower-case GUID. */
  id: string
  /** Canonical id of a scope that exists. */
  scope: string
  roleId: string
  principalId: string
  /** Compared with what the principal is, when given. */
  principalType: PrincipalType | undefined
  description: string | null
  expiresAt: number | null
  tenantId: string
  author: string
  now: number
}

/**
 * Makes an assignment, or changes description and expiry of one; principal, role and scope are for good.
 * @throws SallyportError ERR_PRINCIPAL_NOT_FOUND, ERR_PRINCIPAL_TYPE, ERR_ROLE_NOT_FOUND, ERR_ROLE_SCOPE,
 * ERR_ROLE_ASSIGNMENT_EXISTS, ERR_ROLE_ASSIGNMENT_UPDATE.
 */
export async function putAssignment(
  trx: Transaction<Database>,
  input: AssignmentInput,
): Promise<{ assignment: RoleAssignmentTable; created: boolean }> {
  const type = await checkedType(trx, input)
  const role = await requireRole(trx, input.roleId)
  const key = input.scope.toLowerCase()
  if (!isAssignableAt(role, key)) throw notAssignable(input)
  const old = await trx
    .selectFrom('role_assignments')
    .selectAll()
    .where('assignment_id', '=', input.id)
    .executeTakeFirst()
  if (old === undefined) {
    await makeRoom(trx, input, key)
    const made = newRow(input, key, type)
    await trx.insertInto('role_assignments').values(made).execute()
    return { assignment: made, created: true }
  }
  if (old.scope_key !== key || old.role_id !== role.id || old.principal_id !== input.principalId) {
    throw new SallyportError(
      'ERR_ROLE_ASSIGNMENT_UPDATE',
      'Tenant ID, application ID, principal ID, and scope are not allowed to be updated.',
    )
  }
  const changed: RoleAssignmentTable = {
    ...old,
    description: input.description,
    expires_at: input.expiresAt,
    expiry_done: 0,
    modified_by: input.author,
    modified_at: input.now,
  }
  await trx
    .updateTable('role_assignments')
    .set(changed)
    .where('assignment_id', '=', input.id)
    .execute()
  return { assignment: changed, created: false }
}

/** Deletes an assignment and cuts off who lost access by it; returns it, undefined when there was none. */
export async function deleteAssignment(
  trx: Transaction<Database>,
  at: { id: string; scopeKey: string; now: number },
): Promise<RoleAssignmentTable | undefined> {
  const found = await findAssignment(trx, at)
  if (found === undefined) return undefined
  await trx.deleteFrom('role_assignments').where('assignment_id', '=', at.id).execute()
  await cutOff(trx, await asGrants(trx, [found]), {
    reason: 'role assignment deleted',
    now: at.now,
  })
  return found
}

/** Deletes the assignments at a scope and below it, with the resource: one of the same name later begins with none. */
export async function deleteAssignmentsWithin(
  trx: Transaction<Database>,
  key: string,
): Promise<void> {
  const { from, to } = rangeBelow(key)
  await trx
    .deleteFrom('role_assignments')
    .where((eb) =>
      eb.or([
        eb('scope_key', '=', key),
        eb.and([eb('scope_key', '>', from), eb('scope_key', '<', to)]),
      ]),
    )
    .execute()
}

/** Assignments with what their roles grant. */
export async function asGrants(
  db: Kysely<Database>,
  assignments: readonly RoleAssignmentTable[],
): Promise<Grant[]> {
  const grants: Grant[] = []
  for (const assignment of assignments) {
    const role = await findRole(db, assignment.role_id)
    if (role !== undefined) grants.push({ assignment, role })
  }
  return grants
}

async function checkedType(db: Kysely<Database>, input: AssignmentInput): Promise<PrincipalType> {
  const found = await findAssignee(db, input.principalId)
  if (found === undefined) {
    throw new SallyportError(
      'ERR_PRINCIPAL_NOT_FOUND',
      `Principal ${input.principalId} does not exist in the directory ${input.tenantId}.`,
      { target: 'principalId' },
    )
  }
  if (input.principalType === undefined || input.principalType === found.type) return found.type
  throw new SallyportError(
    'ERR_PRINCIPAL_TYPE',
    `The principal '${input.principalId}' has the type '${found.type}', which is not the given principalType '${input.principalType}'.`,
    { target: 'principalType' },
  )
}

/** The same assignment may not stand twice; one that has expired gives way. */
async function makeRoom(
  trx: Transaction<Database>,
  input: AssignmentInput,
  key: string,
): Promise<void> {
  const same = await trx
    .selectFrom('role_assignments')
    .select(['assignment_id', 'expires_at'])
    .where('scope_key', '=', key)
    .where('role_id', '=', input.roleId)
    .where('principal_id', '=', input.principalId)
    .executeTakeFirst()
  if (same === undefined) return
  const { assignment_id: id, expires_at: expiresAt } = same
  if (expiresAt !== null && expiresAt <= input.now) {
    await deleteAssignment(trx, { id, scopeKey: key, now: input.now })
    return
  }
  throw new SallyportError(
    'ERR_ROLE_ASSIGNMENT_EXISTS',
    `The role assignment already exists. The ID of the existing role assignment is ${id.replaceAll('-', '')}.`,
  )
}

function newRow(input: AssignmentInput, key: string, type: PrincipalType): RoleAssignmentTable {
  return {
    assignment_id: input.id,
    scope: input.scope,
    scope_key: key,
    role_id: input.roleId,
    principal_id: input.principalId,
    principal_type: type,
    description: input.description,
    expires_at: input.expiresAt,
    expiry_done: 0,
    created_by: input.author,
    created_at: input.now,
    modified_by: input.author,
    modified_at: input.now,
  }
}

function notAssignable(input: AssignmentInput): SallyportError {
  return new SallyportError(
    'ERR_ROLE_SCOPE',
    `The role definition '${input.roleId}' cannot be assigned at '${input.scope}': its assignableScopes do not cover it.`,
    { target: 'scope' },
  )
}
