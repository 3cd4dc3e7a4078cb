/**
 * Service principals in the store: found by client id or object id, given secrets, checked.
 * @module
 */
import { randomUUID } from 'node:crypto'
import type { Kysely } from 'kysely'
import type { Database } from '../store/database.ts'
import { isSecretOf, spendAsMuch, type SecretHash } from './client-secret.ts'
import type { Principal } from './principal.ts'

/** A service principal as the directory knows it. */
export interface ServicePrincipal {
  objectId: string
  appId: string
  displayName: string
  enabled: boolean
  administrator: boolean
}

/** Inserts a service principal without secrets; ids are made here. */
export async function insertServicePrincipal(
  db: Kysely<Database>,
  made: { displayName: string; administrator: boolean; now: number },
): Promise<ServicePrincipal> {
  const principal: ServicePrincipal = {
    objectId: randomUUID(),
    appId: randomUUID(),
    displayName: made.displayName,
    enabled: true,
    administrator: made.administrator,
  }
  await db
    .insertInto('service_principals')
    .values({
      object_id: principal.objectId,
      app_id: principal.appId,
      display_name: principal.displayName,
      enabled: 1,
      administrator: made.administrator ? 1 : 0,
      created_at: made.now,
    })
    .execute()
  return principal
}

/** Adds a hashed secret; `expiresAt` in Unix milliseconds, null for none. */
export async function insertSecret(
  db: Kysely<Database>,
  objectId: string,
  secret: { hash: SecretHash; now: number; expiresAt: number | null },
): Promise<void> {
  await db
    .insertInto('service_principal_secrets')
    .values({
      key_id: randomUUID(),
      object_id: objectId,
      ...secret.hash,
      created_at: secret.now,
      expires_at: secret.expiresAt,
    })
    .execute()
}

/** The service principal with this client id or object id; disabled ones too. */
export async function findServicePrincipal(
  db: Kysely<Database>,
  by: { appId: string } | { objectId: string },
): Promise<ServicePrincipal | undefined> {
  const [column, value] =
    'appId' in by ? (['app_id', by.appId] as const) : (['object_id', by.objectId] as const)
  const row = await db
    .selectFrom('service_principals')
    .selectAll()
    .where(column, '=', value)
    .executeTakeFirst()
  if (row === undefined) return undefined
  return {
    objectId: row.object_id,
    appId: row.app_id,
    displayName: row.display_name,
    enabled: row.enabled === 1,
    administrator: row.administrator === 1,
  }
}

/** Whether `secret` is one of the unexpired secrets of the client; takes the same time when there is none. */
export async function checkSecret(
  db: Kysely<Database>,
  appId: string,
  { secret, now }: { secret: string; now: number },
): Promise<boolean> {
  const rows = await db
    .selectFrom('service_principal_secrets as secret')
    .innerJoin('service_principals as principal', 'principal.object_id', 'secret.object_id')
    .selectAll('secret')
    .where('principal.app_id', '=', appId)
    .where('principal.enabled', '=', 1)
    .where((where) =>
      where.or([where('secret.expires_at', 'is', null), where('secret.expires_at', '>', now)]),
    )
    .execute()
  if (rows.length === 0) return spendAsMuch(secret)
  let matched = false
  for (const row of rows) if (await isSecretOf(secret, row)) matched = true
  return matched
}

/** The caller this service principal is. */
export function asPrincipal(from: ServicePrincipal, tenantId: string): Principal {
  return {
    objectId: from.objectId,
    kind: 'app',
    tenantId,
    displayName: from.displayName,
    appId: from.appId,
    administrator: from.administrator,
    groups: [],
  }
}
