/**
 * Secrets of service principals: several each, with a name and an end. Only hashes are kept.
 * @module
 */
import { randomUUID } from 'node:crypto'
import type { Kysely, Transaction } from 'kysely'
import { limits, SallyportError } from '@sallyport/protocol'
import type { Database } from '../../store/database.ts'
import { isSecretOf, spendAsMuch, type SecretHash } from './client-secret.ts'
import { endSignIns } from './end-sign-ins.ts'
import { checkedDisplayName } from './names.ts'

/** What may be known of a secret after it was shown once. */
export interface SecretInfo {
  keyId: string
  objectId: string
  displayName: string | null
  createdAt: number
  /** Unix milliseconds; null: does not expire. */
  expiresAt: number | null
}

/**
 * Adds a hashed secret; `expiresAt` in Unix milliseconds, null for none.
 * @throws SallyportError ERR_DIRECTORY_CONFLICT at the limit: each sign-in is compared with every one of them.
 */
export async function insertSecret(
  db: Kysely<Database>,
  objectId: string,
  secret: { hash: SecretHash; now: number; expiresAt: number | null; displayName?: string | null },
): Promise<SecretInfo> {
  const there = await listSecrets(db, [objectId])
  if (there.length >= limits.secretsPerServicePrincipal) {
    throw new SallyportError(
      'ERR_DIRECTORY_CONFLICT',
      `a service principal has at most ${limits.secretsPerServicePrincipal} secrets, expired ones included`,
      { remedy: 'remove a secret that is no longer used: sallyport ad sp credential delete' },
    )
  }
  const { displayName, now, expiresAt } = secret
  const info: SecretInfo = {
    keyId: randomUUID(),
    objectId,
    displayName: typeof displayName === 'string' ? checkedDisplayName(displayName) : null,
    createdAt: now,
    expiresAt,
  }
  await db
    .insertInto('service_principal_secrets')
    .values({
      key_id: info.keyId,
      object_id: objectId,
      ...secret.hash,
      created_at: now,
      expires_at: expiresAt,
      display_name: info.displayName,
    })
    .execute()
  return info
}

/** Secrets of these service principals, oldest first; never the secrets themselves. */
export async function listSecrets(
  db: Kysely<Database>,
  objectIds: string[],
): Promise<SecretInfo[]> {
  if (objectIds.length === 0) return []
  const rows = await db
    .selectFrom('service_principal_secrets')
    .select(['key_id', 'object_id', 'display_name', 'created_at', 'expires_at'])
    .where('object_id', 'in', objectIds)
    .orderBy('created_at')
    .orderBy('key_id')
    .execute()
  return rows.map((row) => ({
    keyId: row.key_id,
    objectId: row.object_id,
    displayName: row.display_name,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  }))
}

/** Removes a secret and ends every sign-in of the principal. @throws SallyportError ERR_DIRECTORY_NOT_FOUND. */
export async function removeSecret(
  trx: Transaction<Database>,
  objectId: string,
  { keyId, now }: { keyId: string; now: number },
): Promise<void> {
  const result = await trx
    .deleteFrom('service_principal_secrets')
    .where('object_id', '=', objectId)
    .where('key_id', '=', keyId.toLowerCase())
    .executeTakeFirst()
  if (result.numDeletedRows === 0n) {
    throw new SallyportError('ERR_DIRECTORY_NOT_FOUND', 'there is no secret with this keyId')
  }
  await endSignIns(trx, objectId, { reason: 'secret removed', now })
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
