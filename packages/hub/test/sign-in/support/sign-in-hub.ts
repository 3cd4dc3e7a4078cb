/**
 * A whole hub with people and applications in its directory, made before it starts.
 * @module
 */
import type { Transaction } from 'kysely'
import { hashNewPassword, insertUser, type User } from '../../../src/identity/directory/users.ts'
import { prepareDataDirectory } from '../../../src/server/data-directory.ts'
import type { Database } from '../../../src/store/database.ts'
import { openStore } from '../../../src/store/store.ts'
import { hubHome, startProgram, type HubHome, type RunningProgram } from '../../hub-fixture.ts'

/** The password of every person here. */
export const password = 'correct horse battery staple'

/** A running hub. */
export interface SignInHub extends AsyncDisposable {
  home: HubHome
  hub: RunningProgram
  tenantId: string
  ada: User
  /** Address of a path under the tenant's `oauth2/v2.0`. */
  oauth: (path: string) => string
}

/** Starts it; `prepare` may add to the directory. */
export async function startSignInHub(
  prepare: (trx: Transaction<Database>) => Promise<void> = () => Promise.resolve(),
): Promise<SignInHub> {
  const home = hubHome()
  prepareDataDirectory(home.data)
  const store = await openStore({ directory: home.data })
  const userPrincipalName = 'ada@example.com'
  const passwordHash = await hashNewPassword(password, userPrincipalName)
  const ada = await store.transaction(async (trx) => {
    await prepare(trx)
    const now = Date.now()
    return insertUser(trx, { userPrincipalName, displayName: 'Ada Lovelace', passwordHash, now })
  })
  await store.close()
  const hub = await startProgram('hub', home.flags())
  const { tenantId } = home.administrator()
  return {
    home,
    hub,
    tenantId,
    ada,
    oauth: (path) => `${hub.url}/${tenantId}/oauth2/v2.0/${path}`,
    [Symbol.asyncDispose]: async () => {
      await hub.stop()
      home.remove()
    },
  }
}
