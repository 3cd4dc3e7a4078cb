/**
 * Sessions: ids minted here, kept across renewals of the cluster token, so that one use of a cluster has one name everywhere.
 * @module
 */
import { randomUUID } from 'node:crypto'
import type { Kysely } from 'kysely'
import { SallyportError, limits, type AuthenticationMethod } from '@sallyport/protocol'
import type { Database } from '../store/database.ts'
import type { Store } from '../store/store.ts'

/** Who uses which cluster how. */
export interface SessionUse {
  principalId: string
  clusterKey: string
  auth: AuthenticationMethod
  /** The session to keep; another principal's, cluster's or method's is not kept. */
  sessionId: string | undefined
  /** Sign-in of the person it is used with. */
  signIn?: string | undefined
  now: number
}

/** Renews the named session or begins a new one; returns its id. @throws SallyportError ERR_SESSION_ENDED. Without a wait for the disk: a lost session is a new sign-in at worst. */
export async function issueSession(store: Store, use: SessionUse): Promise<string> {
  return store.transaction(
    async (trx) => {
      if (use.sessionId !== undefined && (await renew(trx, use))) return use.sessionId
      if (use.sessionId !== undefined) await refuseEnded(trx, use)
      await prune(trx, use)
      const id = randomUUID()
      await trx
        .insertInto('sessions')
        .values({
          session_id: id,
          principal_id: use.principalId,
          cluster_key: use.clusterKey,
          auth: use.auth,
          created_at: use.now,
          last_issued_at: use.now,
          sign_in: use.signIn ?? null,
        })
        .execute()
      return id
    },
    { durable: false },
  )
}

async function renew(db: Kysely<Database>, use: SessionUse): Promise<boolean> {
  const result = await db
    .updateTable('sessions')
    .set({ last_issued_at: use.now, sign_in: use.signIn ?? null })
    .where('session_id', '=', use.sessionId ?? '')
    .where('principal_id', '=', use.principalId)
    .where('cluster_key', '=', use.clusterKey)
    .where('auth', '=', use.auth)
    .where('ended_at', 'is', null)
    .where('last_issued_at', '>', use.now - limits.sessionRecordTtlMs)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

/** @throws SallyportError ERR_SESSION_ENDED when somebody ended the principal's own session. */
async function refuseEnded(db: Kysely<Database>, use: SessionUse): Promise<void> {
  const ended = await db
    .selectFrom('sessions')
    .select('ended_at')
    .where('session_id', '=', use.sessionId ?? '')
    .where('principal_id', '=', use.principalId)
    .where('ended_at', 'is not', null)
    .executeTakeFirst()
  if (ended === undefined) return
  throw new SallyportError('ERR_SESSION_ENDED', 'the session was ended at the hub', {
    why: `at ${new Date(ended.ended_at ?? use.now).toISOString()}`,
  })
}

/** Forgets what nobody renews, and of one principal on one cluster the oldest above the limit. */
async function prune(db: Kysely<Database>, use: SessionUse): Promise<void> {
  await db
    .deleteFrom('sessions')
    .where('last_issued_at', '<=', use.now - limits.sessionRecordTtlMs)
    .execute()
  const surplus = await db
    .selectFrom('sessions')
    .select('session_id')
    .where('cluster_key', '=', use.clusterKey)
    .where('principal_id', '=', use.principalId)
    .orderBy('last_issued_at', 'desc')
    .limit(limits.sessionRecordsPerPrincipalAndCluster)
    .offset(limits.sessionRecordsPerPrincipalAndCluster - 1)
    .execute()
  if (surplus.length === 0) return
  await db
    .deleteFrom('sessions')
    .where(
      'session_id',
      'in',
      surplus.map((row) => row.session_id),
    )
    .execute()
}
