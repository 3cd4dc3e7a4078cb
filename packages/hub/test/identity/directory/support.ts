/**
 * A real store with people, groups and service principals in it.
 * @module
 */
import type { Transaction } from 'kysely'
import { addMember, insertGroup, type Group } from '../../../src/identity/directory/groups.ts'
import {
  insertServicePrincipal,
  type ServicePrincipal,
} from '../../../src/identity/directory/service-principals.ts'
import { insertUser, type NewUser, type User } from '../../../src/identity/directory/users.ts'
import { revocationsAfter, type Revocation } from '../../../src/registry/revocations.ts'
import type { Database } from '../../../src/store/database.ts'
import { openStore, type Store } from '../../../src/store/store.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

/** A directory in a store of its own. */
export interface DirectoryFixture extends AsyncDisposable {
  store: Store
  path: string
  change: <T>(f: (trx: Transaction<Database>) => Promise<T>) => Promise<T>
  user: (name: string, more?: Partial<NewUser>) => Promise<User>
  app: (name: string, administrator?: boolean) => Promise<ServicePrincipal>
  group: (
    name: string,
    ...members: (User | Group | ServicePrincipal | undefined)[]
  ) => Promise<Group>
  revocations: () => Promise<Revocation[]>
}

/** Opens one. */
export async function openDirectory(): Promise<DirectoryFixture> {
  const directory = temporaryDirectory()
  const store = await openStore({ directory: directory.path })
  const change: DirectoryFixture['change'] = (f) => store.transaction(f)
  return {
    store,
    path: directory.path,
    change,
    user: (name, more = {}) =>
      change((trx) =>
        insertUser(trx, {
          userPrincipalName: `${name}@example.org`,
          displayName: name,
          now: 1,
          ...more,
        }),
      ),
    app: (displayName, administrator = false) =>
      insertServicePrincipal(store.db, { displayName, administrator, now: 1 }),
    group: (displayName, ...members) =>
      change(async (trx) => {
        const group = await insertGroup(trx, { displayName, now: 1 })
        for (const member of members) {
          if (member !== undefined) await addMember(trx, group.objectId, asMember(member))
        }
        return group
      }),
    revocations: async () => (await revocationsAfter(store.db, 0)) ?? [],
    [Symbol.asyncDispose]: async () => {
      await store.close()
      directory[Symbol.dispose]()
    },
  }
}

/** The member of a group an object is. */
export function asMember(object: User | Group | ServicePrincipal): {
  objectId: string
  kind: 'user' | 'group' | 'servicePrincipal'
} {
  const { objectId } = object
  if ('userPrincipalName' in object) return { objectId, kind: 'user' }
  return { objectId, kind: 'appId' in object ? 'servicePrincipal' : 'group' }
}
