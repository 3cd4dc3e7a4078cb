/**
 * All tables of the hub's store, as the query builder sees them.
 * @module
 */
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
export interface Database extends RegistryTables, IdentityTables {
  schema_versions: SchemaVersionTable
}
