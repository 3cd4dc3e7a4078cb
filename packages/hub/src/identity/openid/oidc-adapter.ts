/**
 * Storage of the OpenID provider: its models in one table, its clients from the service principals.
 * @module
 */
import type { Adapter, AdapterPayload } from 'oidc-provider'
import type { Store } from '../../store/store.ts'
import { spendAsMuch } from '../directory/client-secret.ts'
import { findServicePrincipal } from '../directory/service-principals.ts'

/** What the adapter needs. */
export interface AdapterParts {
  store: Store
  now: () => number
}

/** Never compared: the provider's comparison is replaced by one against hashes. */
const placeholderSecret = 'kept-as-a-hash'

/** The adapter of one model. */
export function createAdapter(model: string, parts: AdapterParts): Adapter {
  return model === 'Client' ? clientAdapter(parts) : modelAdapter(model, parts)
}

function clientAdapter({ store }: AdapterParts): Adapter {
  const none = (): Promise<undefined> => Promise.resolve(undefined)
  return {
    find: async (appId) => {
      const principal = await findServicePrincipal(store.db, { appId })
      if (principal?.enabled !== true) {
        await spendAsMuch(appId)
        return undefined
      }
      return {
        client_id: principal.appId,
        client_secret: placeholderSecret,
        client_name: principal.displayName,
        grant_types: ['client_credentials'],
        response_types: [],
        redirect_uris: [],
        token_endpoint_auth_method: 'client_secret_post',
      }
    },
    upsert: () => Promise.reject(new TypeError('clients are made by the directory')),
    findByUid: none,
    findByUserCode: none,
    consume: none,
    destroy: none,
    revokeByGrantId: none,
  }
}

function modelAdapter(model: string, { store, now }: AdapterParts): Adapter {
  const read = async (
    column: 'id' | 'uid' | 'user_code',
    value: string,
  ): Promise<AdapterPayload | undefined> => {
    const row = await store.db
      .selectFrom('oidc')
      .selectAll()
      .where('model', '=', model)
      .where(column, '=', value)
      .where((where) =>
        where.or([where('expires_at', 'is', null), where('expires_at', '>', now())]),
      )
      .executeTakeFirst()
    if (row === undefined) return undefined
    const payload = JSON.parse(row.payload) as AdapterPayload
    return row.consumed_at === null
      ? payload
      : { ...payload, consumed: Math.floor(row.consumed_at / 1000) }
  }
  return {
    find: (id) => read('id', id),
    findByUid: (uid) => read('uid', uid),
    findByUserCode: (userCode) => read('user_code', userCode),
    upsert: async (id, payload, expiresIn) => {
      const row = {
        grant_id: payload.grantId ?? null,
        uid: payload.uid ?? null,
        user_code: payload.userCode ?? null,
        payload: JSON.stringify(payload),
        // The provider leaves this out for what does not expire.
        expires_at: expiresIn === undefined ? null : now() + expiresIn * 1000,
      }
      await store.db
        .insertInto('oidc')
        .values({ model, id, consumed_at: null, ...row })
        .onConflict((conflict) => conflict.columns(['model', 'id']).doUpdateSet(row))
        .execute()
    },
    consume: async (id) => {
      await store.db
        .updateTable('oidc')
        .set({ consumed_at: now() })
        .where('model', '=', model)
        .where('id', '=', id)
        .execute()
    },
    destroy: async (id) => {
      await store.db.deleteFrom('oidc').where('model', '=', model).where('id', '=', id).execute()
    },
    revokeByGrantId: async (grantId) => {
      await store.db
        .deleteFrom('oidc')
        .where('model', '=', model)
        .where('grant_id', '=', grantId)
        .execute()
    },
  }
}
