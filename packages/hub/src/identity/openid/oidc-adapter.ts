/**
 * Storage of the OpenID provider: its models in one table. What a bearer could present is kept as a hash, so that a copy of the store
 * signs nobody in.
 * @module
 */
import { createHash } from 'node:crypto'
import type { Adapter, AdapterPayload } from 'oidc-provider'
import { InvalidGrant } from 'oidc-provider/lib/helpers/errors.js'
import type { Logger } from 'pino'
import type { Store } from '../../store/store.ts'
import { clientAdapter } from './clients.ts'
import { endSignIn, endStolenSignIn } from './sign-ins.ts'

/** What the adapter needs. */
export interface AdapterParts {
  store: Store
  log: Logger
  /** Called after a commit that agents must hear of. */
  onChange: () => void
  now: () => number
}

/** Models whose id is the secret itself; the ids of the others are worth nothing without a signed cookie. */
const bearerModels = new Set(['AuthorizationCode', 'RefreshToken', 'DeviceCode'])

/** Models that may be used once: a second use ends the sign-in. */
const singleUseModels = new Set(['AuthorizationCode', 'RefreshToken'])

/** Stands before the id of a row found by something else than its secret; no secret has a colon. */
const storedPrefix = 'stored:'

/** The adapter of one model. */
export function createAdapter(model: string, parts: AdapterParts): Adapter {
  return model === 'Client' ? clientAdapter(parts.store) : modelAdapter(model, parts)
}

function rowId(model: string, id: string): string {
  if (!bearerModels.has(model)) return id
  if (model === 'DeviceCode' && id.startsWith(storedPrefix)) return id.slice(storedPrefix.length)
  return createHash('sha256').update(id).digest('base64url')
}

interface Row {
  id: string
  payload: string
  grant_id: string | null
  consumed_at: number | null
}

type Column = 'id' | 'uid' | 'user_code'

/** One row that has not expired. */
async function readRow(
  { store, now }: AdapterParts,
  model: string,
  [column, value]: readonly [Column, string],
): Promise<Row | undefined> {
  return store.db
    .selectFrom('oidc')
    .select(['id', 'payload', 'grant_id', 'consumed_at'])
    .where('model', '=', model)
    .where(column, '=', value)
    .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', now())]))
    .executeTakeFirst()
}

/** Ends the sign-in of something that may be used once and was used again. */
async function usedTwice(parts: AdapterParts, model: string, row: Row | undefined): Promise<void> {
  if (row === undefined || row.grant_id === null) return
  const details = { id: row.grant_id, now: parts.now() }
  const objectId = await endStolenSignIn(parts.store, details)
  if (objectId === undefined) return
  parts.onChange()
  parts.log.warn({ event: 'identity.used-twice', model, objectId })
}

function modelAdapter(model: string, parts: AdapterParts): Adapter {
  const { db } = parts.store
  const read = (column: Column, value: string) => readRow(parts, model, [column, value])
  return {
    find: async (id) => {
      const row = await read('id', rowId(model, id))
      if (row === undefined) return undefined
      if (row.consumed_at !== null && singleUseModels.has(model)) {
        await usedTwice(parts, model, row)
        return undefined
      }
      return payloadOf(row, id)
    },
    findByUid: async (uid) => {
      const row = await read('uid', uid)
      return row === undefined ? undefined : payloadOf(row, row.id)
    },
    findByUserCode: async (userCode) => {
      const row = await read('user_code', userCode)
      return row === undefined ? undefined : payloadOf(row, storedPrefix + row.id)
    },
    upsert: (id, payload, expiresIn) =>
      upsert(parts, { model, id: rowId(model, id) }, { payload, expiresIn }),
    consume: async (id) => {
      const result = await db
        .updateTable('oidc')
        .set({ consumed_at: parts.now() })
        .where('model', '=', model)
        .where('id', '=', rowId(model, id))
        .where('consumed_at', 'is', null)
        .executeTakeFirst()
      if (result.numUpdatedRows > 0n) return
      // Somebody was faster with the same token.
      await usedTwice(parts, model, await read('id', rowId(model, id)))
      throw new InvalidGrant('used already')
    },
    destroy: async (id) => {
      if (model === 'Grant') {
        await endSignIn(parts.store, { id, now: parts.now() })
        parts.onChange()
        return
      }
      const row = db.deleteFrom('oidc').where('model', '=', model)
      await row.where('id', '=', rowId(model, id)).execute()
    },
    revokeByGrantId: async (grantId) => {
      const rows = db.deleteFrom('oidc').where('model', '=', model)
      await rows.where('grant_id', '=', grantId).execute()
    },
  }
}

function payloadOf(row: Row, jti: string): AdapterPayload {
  const payload = { ...(JSON.parse(row.payload) as AdapterPayload), jti }
  return row.consumed_at === null
    ? payload
    : { ...payload, consumed: Math.floor(row.consumed_at / 1000) }
}

async function upsert(
  { store, now }: AdapterParts,
  key: { model: string; id: string },
  { payload, expiresIn }: { payload: AdapterPayload; expiresIn: number | undefined },
): Promise<void> {
  const row = {
    grant_id: payload.grantId ?? null,
    account_id: payload.accountId ?? null,
    uid: payload.uid ?? null,
    user_code: payload.userCode ?? null,
    payload: JSON.stringify({ ...payload, jti: undefined }),
    // The provider leaves this out for what does not expire.
    expires_at: expiresIn === undefined ? null : now() + expiresIn * 1000,
  }
  await store.db
    .insertInto('oidc')
    .values({ ...key, consumed_at: null, ...row })
    .onConflict((conflict) => conflict.columns(['model', 'id']).doUpdateSet(row))
    .execute()
}

/** Remembers `id` until `expiresAt`; false when it is remembered already. One statement, so that of two at once one wins. */
export async function rememberOnce(
  store: Store,
  { model, id, expiresAt }: { model: string; id: string; expiresAt: number },
): Promise<boolean> {
  const result = await store.db
    .insertInto('oidc')
    .values({
      model,
      id,
      grant_id: null,
      account_id: null,
      uid: null,
      user_code: null,
      payload: '{}',
      expires_at: expiresAt,
      consumed_at: null,
    })
    .onConflict((conflict) => conflict.columns(['model', 'id']).doNothing())
    .executeTakeFirst()
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n
}
