/**
 * Service principals in the store. Application and service principal are one object here, with one object id and one client id.
 * @module
 */
import { randomUUID } from 'node:crypto'
import type { Kysely, Selectable, Transaction } from 'kysely'
import { SallyportError } from '@sallyport/protocol'
import type { Database } from '../../store/database.ts'
import type { ServicePrincipalTable } from '../tables.ts'
import { checkAdministratorLeft } from './administrators.ts'
import { endSignIns } from './end-sign-ins.ts'
import { checkedDisplayName } from './names.ts'

/** A service principal as the directory knows it. */
export interface ServicePrincipal {
  objectId: string
  appId: string
  displayName: string
  enabled: boolean
  administrator: boolean
  revokedSeq: number
  createdAt: number
}

/** The name of one service principal. */
export type ServicePrincipalKey = { appId: string } | { objectId: string }

/** Inserts a service principal without secrets; ids are made here. @throws SallyportError ERR_ARM_INVALID_REQUEST. */
export async function insertServicePrincipal(
  db: Kysely<Database>,
  made: { displayName: string; administrator: boolean; now: number },
): Promise<ServicePrincipal> {
  const principal: ServicePrincipal = {
    objectId: randomUUID(),
    appId: randomUUID(),
    displayName: checkedDisplayName(made.displayName),
    enabled: true,
    administrator: made.administrator,
    revokedSeq: 0,
    createdAt: made.now,
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

/** A row as a service principal. */
export function toServicePrincipal(row: Selectable<ServicePrincipalTable>): ServicePrincipal {
  return {
    objectId: row.object_id,
    appId: row.app_id,
    displayName: row.display_name,
    enabled: row.enabled === 1,
    administrator: row.administrator === 1,
    revokedSeq: row.revoked_seq,
    createdAt: row.created_at,
  }
}

/** The service principal with this client id or object id; disabled ones too. */
export async function findServicePrincipal(
  db: Kysely<Database>,
  by: ServicePrincipalKey,
): Promise<ServicePrincipal | undefined> {
  const [column, value] =
    'appId' in by ? (['app_id', by.appId] as const) : (['object_id', by.objectId] as const)
  const row = await db
    .selectFrom('service_principals')
    .selectAll()
    .where(column, '=', value.toLowerCase())
    .executeTakeFirst()
  return row === undefined ? undefined : toServicePrincipal(row)
}

/** @throws SallyportError ERR_DIRECTORY_NOT_FOUND. */
export async function requireServicePrincipal(
  db: Kysely<Database>,
  by: ServicePrincipalKey,
): Promise<ServicePrincipal> {
  const found = await findServicePrincipal(db, by)
  if (found !== undefined) return found
  throw new SallyportError('ERR_DIRECTORY_NOT_FOUND', 'there is no such service principal')
}

/** What may change of a service principal; what is absent stays. */
export interface ServicePrincipalChange {
  displayName?: string | undefined
  enabled?: boolean | undefined
  administrator?: boolean | undefined
}

/**
 * Changes a service principal; disabling ends its sign-ins.
 * @throws SallyportError ERR_DIRECTORY_NOT_FOUND, ERR_LAST_ADMINISTRATOR, ERR_ARM_INVALID_REQUEST.
 */
export async function updateServicePrincipal(
  trx: Transaction<Database>,
  objectId: string,
  { change, now }: { change: ServicePrincipalChange; now: number },
): Promise<void> {
  const before = await requireServicePrincipal(trx, { objectId })
  const { displayName, enabled, administrator } = change
  const row = {
    ...(displayName === undefined ? {} : { display_name: checkedDisplayName(displayName) }),
    ...(enabled === undefined ? {} : { enabled: enabled ? 1 : 0 }),
    ...(administrator === undefined ? {} : { administrator: administrator ? 1 : 0 }),
  }
  if (Object.keys(row).length === 0) return
  await trx
    .updateTable('service_principals')
    .set(row)
    .where('object_id', '=', before.objectId)
    .execute()
  const isDisabled = before.enabled && enabled === false
  const losesFlag = before.administrator && administrator === false
  if (!isDisabled && !losesFlag) return
  if (before.enabled && before.administrator) await checkAdministratorLeft(trx)
  await endSignIns(trx, before.objectId, {
    reason: isDisabled
      ? 'service principal disabled'
      : 'service principal is no longer administrator',
    now,
  })
}

/**
 * Deletes a service principal with its memberships and credentials; ends its sign-ins.
 * @throws SallyportError ERR_DIRECTORY_NOT_FOUND, ERR_LAST_ADMINISTRATOR.
 */
export async function deleteServicePrincipal(
  trx: Transaction<Database>,
  objectId: string,
  now: number,
): Promise<void> {
  const found = await requireServicePrincipal(trx, { objectId })
  await endSignIns(trx, found.objectId, { reason: 'service principal deleted', now })
  await trx.deleteFrom('group_members').where('member_id', '=', found.objectId).execute()
  await trx.deleteFrom('service_principals').where('object_id', '=', found.objectId).execute()
  if (found.enabled && found.administrator) await checkAdministratorLeft(trx)
}
