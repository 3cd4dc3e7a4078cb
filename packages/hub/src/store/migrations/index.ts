/**
 * The schema's history, in order; append only: what ran somewhere is never edited.
 * @module
 */
import type { MigrationStep } from '../migrate.ts'
import { registryMigration } from './001-registry.ts'
import { identityMigration } from './002-identity.ts'
import { directoryMigration } from './003-directory.ts'
import { issuersMigration } from './004-issuers.ts'
import { revocationsMigration } from './005-revocations.ts'
import { authorizationMigration } from './006-authorization.ts'

/** Every migration, oldest first. */
export const migrations: readonly MigrationStep[] = [
  { version: 1, name: 'registry', migration: registryMigration },
  { version: 2, name: 'identity', migration: identityMigration },
  { version: 3, name: 'directory', migration: directoryMigration },
  { version: 4, name: 'issuers', migration: issuersMigration },
  { version: 5, name: 'revocations', migration: revocationsMigration },
  { version: 6, name: 'authorization', migration: authorizationMigration },
]
