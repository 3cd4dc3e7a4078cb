/**
 * Sessions as people look at them: listed, shown, ended.
 * @module
 */
import type { Kysely, Transaction } from 'kysely'
import { limits } from '@sallyport/protocol'
import type { Database } from '../store/database.ts'
import type { Store } from '../store/store.ts'
import { revoke } from './revocations.ts'

/** Which sessions; absent members do not narrow. */
export interface SessionFilter {
  clusterKey?: string | undefined
  principalId?: string | undefined
  /** Id of the last one of the page before. */
  after?: string | undefined
  limit: number
}

function select(db: Kysely<Database>) {
  return db
    .selectFrom('sessions')
    .innerJoin('clusters', 'clusters.cluster_key', 'sessions.cluster_key')
    .selectAll('sessions')
    .select('clusters.resource_id')
}

/** A session with the id of its cluster. */
export type SessionRecord = Awaited<ReturnType<typeof listSessions>>[number]

/** A page in order of ids. */
export async function listSessions(db: Kysely<Database>, filter: SessionFilter) {
  let query = select(db)
  if (filter.clusterKey !== undefined) {
    query = query.where('sessions.cluster_key', '=', filter.clusterKey)
  }
  if (filter.principalId !== undefined) {
    query = query.where('sessions.principal_id', '=', filter.principalId)
  }
  if (filter.after !== undefined) query = query.where('sessions.session_id', '>', filter.after)
  return query.orderBy('sessions.session_id').limit(filter.limit).execute()
}

/** One session. */
export async function findSession(
  db: Kysely<Database>,
  sessionId: string,
): Promise<SessionRecord | undefined> {
  return select(db).where('sessions.session_id', '=', sessionId).executeTakeFirst()
}

/** Ends a session: it cannot be renewed, and agents cut it. @returns false when it had ended before. */
export async function endSession(
  store: Store,
  session: { id: string; reason: string; now: number },
): Promise<boolean> {
  return store.transaction(async (trx) => {
    const ended = await trx
      .updateTable('sessions')
      .set({ ended_at: session.now, ended_reason: session.reason })
      .where('session_id', '=', session.id)
      .where('ended_at', 'is', null)
      .executeTakeFirst()
    if (ended.numUpdatedRows === 0n) return false
    const details = { reason: session.reason, now: session.now }
    await revoke(trx, { kind: 'session', sessionId: session.id }, details)
    return true
  })
}

/** Ends what a sign-in holds open, in the transaction that ends the sign-in; the caller wakes the feed. */
export async function endSessionsOf(
  trx: Transaction<Database>,
  signIn: { id: string; objectId: string; now: number },
): Promise<void> {
  const { id, objectId, now } = signIn
  const reason = 'signed out'
  const open = await trx
    .selectFrom('sessions')
    .select('session_id')
    .where('sign_in', '=', id)
    .where('ended_at', 'is', null)
    .execute()
  await trx
    .updateTable('sessions')
    .set({ ended_at: now, ended_reason: reason })
    .where('sign_in', '=', id)
    .where('ended_at', 'is', null)
    .execute()
  if (open.length > limits.revocationsForOneChange) {
    await revoke(trx, { kind: 'principal', objectId }, { reason, now })
    return
  }
  for (const { session_id: sessionId } of open) {
    await revoke(trx, { kind: 'session', sessionId }, { reason, now })
  }
}
