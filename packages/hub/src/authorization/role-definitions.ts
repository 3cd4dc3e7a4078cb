/**
 * Role definitions: built-in ones are code, custom ones rows.
 * @module
 */
import type { Kysely, Transaction } from 'kysely'
import { SallyportError } from '@sallyport/protocol'
import type { Database } from '../store/database.ts'
import { builtInRole, builtInRoles } from './built-in-roles.ts'
import type { RoleDefinition, RolePermission } from './roles.ts'
import { checkedScope, isWithin, scopeKey } from './scopes.ts'
import type { RoleDefinitionTable } from './tables.ts'

/** A role, undefined when there is none; `id` is a lower-case GUID. */
export async function findRole(
  db: Kysely<Database>,
  id: string,
): Promise<RoleDefinition | undefined> {
  const known = builtInRole(id)
  if (known !== undefined) return known
  const row = await db
    .selectFrom('role_definitions')
    .selectAll()
    .where('role_id', '=', id)
    .executeTakeFirst()
  return row === undefined ? undefined : fromRow(row)
}

/** As `findRole`. @throws SallyportError ERR_ROLE_NOT_FOUND. */
export async function requireRole(db: Kysely<Database>, id: string): Promise<RoleDefinition> {
  const found = await findRole(db, id)
  if (found !== undefined) return found
  throw new SallyportError(
    'ERR_ROLE_NOT_FOUND',
    `The specified role definition with ID '${id}' does not exist.`,
    { target: 'roleDefinitionId' },
  )
}

/** Every role: built-in ones first, then custom ones by name. */
export async function allRoles(db: Kysely<Database>): Promise<RoleDefinition[]> {
  const rows = await db.selectFrom('role_definitions').selectAll().orderBy('name_key').execute()
  return [...builtInRoles, ...rows.map(fromRow)]
}

/** What a role is to become. */
export interface RoleInput {
  /** Lower-case GUID. */
  id: string
  name: string
  description: string
  permissions: readonly RolePermission[]
  assignableScopes: readonly string[]
  author: string
  now: number
}

/**
 * Makes or replaces a custom role. The name stays unique, and a scope in which it is assigned stays assignable.
 * @returns the role, and whether it is new.
 * @throws SallyportError ERR_ROLE_BUILT_IN, ERR_ROLE_NAME_TAKEN, ERR_ROLE_IN_USE.
 */
export async function putRole(
  trx: Transaction<Database>,
  input: RoleInput,
): Promise<{ role: RoleDefinition; created: boolean }> {
  if (builtInRole(input.id) !== undefined) throw builtInIsFixed(input.id)
  await checkName(trx, input)
  await checkAssignments(trx, input)
  const old = await trx
    .selectFrom('role_definitions')
    .selectAll()
    .where('role_id', '=', input.id)
    .executeTakeFirst()
  const row: RoleDefinitionTable = {
    role_id: input.id,
    role_name: input.name,
    name_key: input.name.toLowerCase(),
    description: input.description,
    permissions: JSON.stringify(input.permissions),
    assignable_scopes: JSON.stringify(input.assignableScopes),
    created_by: old?.created_by ?? input.author,
    created_at: old?.created_at ?? input.now,
    modified_by: input.author,
    modified_at: input.now,
  }
  if (old === undefined) await trx.insertInto('role_definitions').values(row).execute()
  else {
    await trx.updateTable('role_definitions').set(row).where('role_id', '=', input.id).execute()
  }
  return { role: fromRow(row), created: old === undefined }
}

/**
 * Deletes a custom role; returns it, undefined when there was none.
 * @throws SallyportError ERR_ROLE_BUILT_IN, ERR_ROLE_IN_USE.
 */
export async function deleteRole(
  trx: Transaction<Database>,
  id: string,
): Promise<RoleDefinition | undefined> {
  if (builtInRole(id) !== undefined) throw builtInIsFixed(id)
  const used = await trx
    .selectFrom('role_assignments')
    .select('assignment_id')
    .where('role_id', '=', id)
    .limit(1)
    .executeTakeFirst()
  if (used !== undefined) {
    throw new SallyportError(
      'ERR_ROLE_IN_USE',
      'There are existing role assignments referencing role (code: RoleDefinitionHasAssignments).',
    )
  }
  const found = await findRole(trx, id)
  await trx.deleteFrom('role_definitions').where('role_id', '=', id).execute()
  return found
}

async function checkName(db: Kysely<Database>, input: RoleInput): Promise<void> {
  const key = input.name.toLowerCase()
  const same = await db
    .selectFrom('role_definitions')
    .select('role_id')
    .where('name_key', '=', key)
    .where('role_id', '<>', input.id)
    .executeTakeFirst()
  const isBuiltIn = builtInRoles.some((role) => role.name.toLowerCase() === key)
  if (same === undefined && !isBuiltIn) return
  throw new SallyportError(
    'ERR_ROLE_NAME_TAKEN',
    `A role definition with the name '${input.name}' exists already.`,
    { target: 'roleName' },
  )
}

async function checkAssignments(db: Kysely<Database>, input: RoleInput): Promise<void> {
  const rows = await db
    .selectFrom('role_assignments')
    .select(['scope', 'scope_key'])
    .distinct()
    .where('role_id', '=', input.id)
    .execute()
  const outside = rows.find(({ scope_key: key }) => !isAssignableAt(input, key))
  if (outside === undefined) return
  throw new SallyportError(
    'ERR_ROLE_IN_USE',
    `The role is assigned at '${outside.scope}', which 'assignableScopes' must go on to cover.`,
    { target: 'assignableScopes' },
  )
}

/** Whether a role may be assigned at the scope with this key. */
export function isAssignableAt(
  role: Pick<RoleDefinition, 'assignableScopes'>,
  key: string,
): boolean {
  return role.assignableScopes.some((scope) => isWithin(key, scopeKey(checkedScope(scope))))
}

function builtInIsFixed(id: string): SallyportError {
  return new SallyportError(
    'ERR_ROLE_BUILT_IN',
    `The role definition '${id}' is built in; it cannot be changed or deleted.`,
  )
}

function fromRow(row: RoleDefinitionTable): RoleDefinition {
  return {
    id: row.role_id,
    name: row.role_name,
    description: row.description,
    type: 'CustomRole',
    permissions: JSON.parse(row.permissions) as RolePermission[],
    assignableScopes: JSON.parse(row.assignable_scopes) as string[],
    changes: {
      createdBy: row.created_by,
      createdAt: row.created_at,
      modifiedBy: row.modified_by,
      modifiedAt: row.modified_at,
    },
  }
}
