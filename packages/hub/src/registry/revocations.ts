/**
 * What ended early: counted without gaps, so that a token is too old when a revocation about it has a higher number than the
 * token names. No clock takes part: two things in one second are still before and after.
 * @module
 */
import type { Kysely, Transaction } from 'kysely'
import { limits } from '@sallyport/protocol'
import type { Database } from '../store/database.ts'

/** Whose tokens end: a principal's, a session's, everybody's. */
export type RevocationTarget =
  { kind: 'principal'; objectId: string } | { kind: 'session'; sessionId: string } | { kind: 'all' }

/** One revocation as agents learn of it. */
export interface Revocation {
  seq: number
  kind: RevocationTarget['kind']
  /** Object id or session id; empty for `all`. */
  target: string
}

const settingName = 'revocationSeq'

/** Number of the latest revocation, 0 before the first: what a token issued now names as `rev`. */
export async function currentRevision(db: Kysely<Database>): Promise<number> {
  const row = await db
    .selectFrom('hub_settings')
    .select('value')
    .where('name', '=', settingName)
    .executeTakeFirst()
  return row === undefined ? 0 : Number(row.value)
}

/**
 * Records a revocation in the transaction of the change that causes it; returns its number. For a principal its access tokens
 * end too when `withAccessTokens`: a lost credential, not a lost group.
 */
export async function revoke(
  trx: Transaction<Database>,
  target: RevocationTarget,
  details: { reason: string; now: number; withAccessTokens?: boolean },
): Promise<number> {
  const seq = (await currentRevision(trx)) + 1
  const value = String(seq)
  await trx
    .insertInto('hub_settings')
    .values({ name: settingName, value })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
    .execute()
  await trx
    .deleteFrom('revocations')
    .where('created_at', '<=', details.now - limits.revocationTtlMs)
    .execute()
  const { reason, now } = details
  await trx
    .insertInto('revocations')
    .values({ seq, kind: target.kind, target: targetOf(target), reason, created_at: now })
    .execute()
  if (target.kind === 'principal' && details.withAccessTokens === true) {
    for (const table of ['users', 'service_principals'] as const) {
      await trx
        .updateTable(table)
        .set({ revoked_seq: seq })
        .where('object_id', '=', target.objectId)
        .execute()
    }
  }
  return seq
}

function targetOf(target: RevocationTarget): string {
  switch (target.kind) {
    case 'principal':
      return target.objectId
    case 'session':
      return target.sessionId
    case 'all':
      return ''
  }
}

/**
 * Revocations after `after`, oldest first; undefined when some of them are already forgotten, so that the caller has to take
 * everything for revoked.
 */
export async function revocationsAfter(
  db: Kysely<Database>,
  after: number,
): Promise<Revocation[] | undefined> {
  const current = await currentRevision(db)
  if (after === current) return []
  const rows = await db
    .selectFrom('revocations')
    .select(['seq', 'kind', 'target'])
    .where('seq', '>', after)
    .orderBy('seq')
    .limit(limits.revocationsPerAnswer + 1)
    .execute()
  const last = rows.at(-1)?.seq ?? after
  // One more may have been written since `current` was read; a gap is what counts.
  const isWhole =
    last >= current && rows.length === last - after && rows.length <= limits.revocationsPerAnswer
  return isWhole ? rows.map((row) => ({ ...row, kind: row.kind as Revocation['kind'] })) : undefined
}
