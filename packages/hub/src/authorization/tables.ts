/**
 * Tables of authorization. Times are Unix milliseconds; `…_key` columns are lower-cased.
 * @module
 */

/** A custom role; built-in ones are code. */
export interface RoleDefinitionTable {
  /** Lower-case GUID. */
  role_id: string
  role_name: string
  name_key: string
  description: string
  /** JSON: list of `{actions, notActions, dataActions, notDataActions}`. */
  permissions: string
  /** JSON: list of scopes. */
  assignable_scopes: string
  created_by: string
  created_at: number
  modified_by: string
  modified_at: number
}

/** Who has which role where. */
export interface RoleAssignmentTable {
  /** Lower-case GUID, unique in the whole tenant. */
  assignment_id: string
  /** Scope in the case of creation; `/` for the tenant. */
  scope: string
  scope_key: string
  role_id: string
  principal_id: string
  /** `User`, `Group` or `ServicePrincipal`. */
  principal_type: string
  description: string | null
  /** Null: does not expire. */
  expires_at: number | null
  /** 1 once those who lost access by the expiry were cut off. */
  expiry_done: number
  created_by: string
  created_at: number
  modified_by: string
  modified_at: number
}

/** The tables this folder owns. */
export interface AuthorizationTables {
  role_definitions: RoleDefinitionTable
  role_assignments: RoleAssignmentTable
}
