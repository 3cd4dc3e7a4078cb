/**
 * Sign-ins of people: each is one grant of the OpenID provider, with the refresh tokens and codes that hang on it. Its id is the `sid`
 * of every token it gives.
 * @module
 */
import type { Kysely } from 'kysely'
import { limits } from '@sallyport/protocol'
import { revoke } from '../../registry/revocations.ts'
import { endSessionsOf } from '../../registry/session-records.ts'
import type { Database } from '../../store/database.ts'
import type { Store } from '../../store/store.ts'

/**
 * Ends a sign-in: its refresh tokens and codes are gone, its access tokens are refused from now on, its cluster sessions end. The
 * caller wakes the feed.
 */
export async function endSignIn(
  store: Store,
  { id, now }: { id: string; now: number },
): Promise<void> {
  await store.transaction(async (trx) => {
    const objectId = await ownerOf(trx, id)
    await deleteSignIn(trx, id)
    if (objectId !== undefined) await endSessionsOf(trx, { id, objectId, now })
  })
}

/** Whose sign-in it is; undefined when it is over. */
async function ownerOf(db: Kysely<Database>, id: string): Promise<string | undefined> {
  const grant = await db
    .selectFrom('oidc')
    .select('account_id')
    .where('model', '=', 'Grant')
    .where('id', '=', id)
    .executeTakeFirst()
  return grant?.account_id ?? undefined
}

/**
 * Ends a sign-in whose code or refresh token was used twice: somebody else may hold it, so the person's cluster sessions are cut too
 * (X084). Returns whose it was.
 */
export async function endStolenSignIn(
  store: Store,
  { id, now }: { id: string; now: number },
): Promise<string | undefined> {
  return store.transaction(async (trx) => {
    const objectId = await ownerOf(trx, id)
    await deleteSignIn(trx, id)
    if (objectId !== undefined) {
      await revoke(trx, { kind: 'principal', objectId }, { reason: 'token used twice', now })
    }
    return objectId
  })
}

async function deleteSignIn(trx: Kysely<Database>, id: string): Promise<void> {
  await trx.deleteFrom('oidc').where('grant_id', '=', id).execute()
  await trx.deleteFrom('oidc').where('model', '=', 'Grant').where('id', '=', id).execute()
}

/** Deletes what has expired, a bounded number of rows; returns how many. */
export async function sweepOpenId(db: Kysely<Database>, now: number): Promise<number> {
  const expired = db
    .selectFrom('oidc')
    .select('id')
    .where('expires_at', '<=', now)
    .limit(limits.openIdSweepRows)
  const result = await db
    .deleteFrom('oidc')
    .where('expires_at', '<=', now)
    .where('id', 'in', expired)
    .executeTakeFirst()
  return Number(result.numDeletedRows)
}
