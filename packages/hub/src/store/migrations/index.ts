/**
 * The schema's history, in order; append only: what ran somewhere is never edited.
 * @module
 */
import type { MigrationStep } from '../migrate.ts'
import { registryMigration } from './001-registry.ts'
import { identityMigration } from './002-identity.ts'

/** Every migration, oldest first. */
export const migrations: readonly MigrationStep[] = [
  { version: 1, name: 'registry', migration: registryMigration },
  { version: 2, name: 'identity', migration: identityMigration },
]
