/**
 * The owner's way in: one administrator made at the very first start, and a local way to a new secret.
 * @module
 */
import type { Store } from '../store/store.ts'
import { hashSecret, makeClientSecret } from './directory/client-secret.ts'
import { endSignIns } from './directory/end-sign-ins.ts'
import { insertSecret } from './directory/secrets.ts'
import { findServicePrincipal, insertServicePrincipal } from './directory/service-principals.ts'
import { readSetting, writeSetting } from './settings.ts'

/** Credentials as shown once. */
export interface AdministratorCredentials {
  objectId: string
  clientId: string
  clientSecret: string
}

/** Hands the credentials to the owner; throws when it cannot, and then nothing was made. */
export type Deliver = (credentials: AdministratorCredentials) => void

/**
 * Makes the first administrator when this data directory never had one. Deleting the principal does not bring a new one
 * (T-ARC-4): the fact that there was one stays. The credentials are delivered before they count, so that a crash or a full
 * disk in between leaves a data directory that makes them again, never one that nobody can enter.
 */
export async function createFirstAdministrator(
  store: Store,
  now: number,
  deliver: Deliver,
): Promise<void> {
  if ((await readSetting(store.db, 'administratorObjectId')) !== undefined) return
  await insertAdministrator(store, now, deliver)
}

/**
 * Gives the first administrator a new secret and takes every other credential away; enables it, or makes it again when it was deleted.
 * Only for somebody who owns the data directory of a stopped hub.
 */
export async function resetAdministrator(
  store: Store,
  now: number,
  deliver: Deliver,
): Promise<void> {
  const objectId = await readSetting(store.db, 'administratorObjectId')
  const found =
    objectId === undefined ? undefined : await findServicePrincipal(store.db, { objectId })
  if (found === undefined) {
    await insertAdministrator(store, now, deliver)
    return
  }
  const clientSecret = makeClientSecret()
  const hash = await hashSecret(clientSecret)
  await store.transaction(async (trx) => {
    for (const table of credentialTables) {
      await trx.deleteFrom(table).where('object_id', '=', found.objectId).execute()
    }
    await endSignIns(trx, found.objectId, { reason: 'administrator reset', now })
    await trx
      .updateTable('service_principals')
      .set({ enabled: 1, administrator: 1 })
      .where('object_id', '=', found.objectId)
      .execute()
    await insertSecret(trx, found.objectId, { hash, now, expiresAt: null })
    deliver({ objectId: found.objectId, clientId: found.appId, clientSecret })
  })
}

const credentialTables = [
  'service_principal_secrets',
  'service_principal_certificates',
  'federated_credentials',
] as const

async function insertAdministrator(store: Store, now: number, deliver: Deliver): Promise<void> {
  const clientSecret = makeClientSecret()
  const hash = await hashSecret(clientSecret)
  await store.transaction(async (trx) => {
    const made = await insertServicePrincipal(trx, {
      displayName: 'administrator',
      administrator: true,
      now,
    })
    await insertSecret(trx, made.objectId, { hash, now, expiresAt: null })
    await writeSetting(trx, 'administratorObjectId', made.objectId)
    deliver({ objectId: made.objectId, clientId: made.appId, clientSecret })
  })
}
