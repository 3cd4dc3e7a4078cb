/**
 * Assignments end by themselves: a check each second cuts off who lost access by an expiry and wakes the agents. Whether an
 * assignment holds is asked of the clock at every question, so this is about live sessions only. Waits are short and never
 * computed from the wall clock: a jump of it, either way, is seen at the next check.
 * @module
 */
import type { Logger } from 'pino'
import { limits } from '@sallyport/protocol'
import type { ChangeFeed } from '../registry/change-feed.ts'
import type { Store } from '../store/store.ts'
import { asGrants } from './assignment-changes.ts'
import { cutOff } from './loss-of-access.ts'

/** What expiry is carried out with. */
export interface ExpiryParts {
  store: Store
  /** Unix milliseconds. */
  now: () => number
  changes: ChangeFeed
}

/**
 * Carries out every expiry that has come; one whose time was moved back by the clock waits again.
 * @returns how many assignments began or ceased to hold since the last check.
 */
export async function expireAssignments({ store, now, changes }: ExpiryParts): Promise<number> {
  const at = now()
  const due = store.db
    .selectFrom('role_assignments')
    .selectAll()
    .where((eb) =>
      eb.or([
        eb.and([eb('expires_at', '<=', at), eb('expiry_done', '=', 0)]),
        eb.and([eb('expires_at', '>', at), eb('expiry_done', '=', 1)]),
      ]),
    )
    .limit(limits.expiriesAtOnce)
  if ((await due.execute()).length === 0) return 0
  const changed = await store.transaction(async (trx) => {
    const rows = await trx.executeQuery(due).then((result) => result.rows)
    for (const row of rows) {
      await trx
        .updateTable('role_assignments')
        .set({ expiry_done: row.expiry_done === 0 ? 1 : 0 })
        .where('assignment_id', '=', row.assignment_id)
        .execute()
    }
    const ended = rows.filter((row) => row.expiry_done === 0)
    await cutOff(trx, await asGrants(trx, ended), { reason: 'role assignment expired', now: at })
    return rows.length
  })
  if (changed > 0) changes.wake()
  return changed
}

/** Checks until disposed; the first check is now. A failed one is logged and made again. */
export function watchExpiries(parts: ExpiryParts & { log: Logger }): AsyncDisposable {
  let timer: NodeJS.Timeout | undefined
  let isOpen = true
  let check: Promise<void> = Promise.resolve()
  const next = (): void => {
    check = expireAssignments(parts)
      .catch((error: unknown) => {
        parts.log.error({ event: 'assignments.expiry-failed', err: error })
      })
      .then(() => {
        if (isOpen) timer = setTimeout(next, limits.expiryCheckMs).unref()
      })
  }
  next()
  return {
    [Symbol.asyncDispose]: async () => {
      isOpen = false
      clearTimeout(timer)
      await check
    },
  }
}
