/**
 * The end of everything a principal is signed in with: recorded for agents, access tokens too old, browser sessions and refresh
 * tokens gone.
 * @module
 */
import type { Transaction } from 'kysely'
import { revoke } from '../../registry/revocations.ts'
import type { Database } from '../../store/database.ts'
import { checkedObjectId } from './names.ts'

/** Ends them, in the transaction of the change that is the reason; the caller wakes the feed after the commit. */
export async function endSignIns(
  trx: Transaction<Database>,
  objectId: string,
  details: { reason: string; now: number },
): Promise<void> {
  await revoke(trx, { kind: 'principal', objectId }, { ...details, withAccessTokens: true })
  // Payloads are JSON of ours: a quote inside a value is escaped, so this member cannot be imitated by one.
  await trx
    .deleteFrom('oidc')
    .where('payload', 'like', `%"accountId":"${checkedObjectId(objectId)}"%`)
    .execute()
}
