/**
 * All tables of the hub's store, as the query builder sees them.
 * @module
 */
import type { AuthorizationTables } from '../authorization/tables.ts'
import type { DirectoryTables } from '../identity/directory/tables.ts'
import type { IssuerTables } from '../identity/issuers/tables.ts'
import type { IdentityTables } from '../identity/tables.ts'
import type { RegistryTables } from '../registry/tables.ts'

/** Which migrations ran. */
export interface SchemaVersionTable {
  version: number
  name: string
  /** Unix milliseconds. */
  applied_at: number
}

/** Every table, by owner. */
export interface Database
  extends RegistryTables, IdentityTables, DirectoryTables, IssuerTables, AuthorizationTables {
  schema_versions: SchemaVersionTable
}
