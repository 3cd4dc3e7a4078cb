import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  createFirstAdministrator,
  resetAdministrator,
  type AdministratorCredentials,
} from '../../src/identity/first-administrator.ts'
import { checkSecret } from '../../src/identity/directory/secrets.ts'
import { openStore, type Store } from '../../src/store/store.ts'
import { temporaryDirectory } from '../hub-fixture.ts'

let directory: ReturnType<typeof temporaryDirectory>
let store: Store
let delivered: AdministratorCredentials[]
const deliver = (credentials: AdministratorCredentials): void => {
  delivered.push(credentials)
}
const works = ({ clientId, clientSecret }: AdministratorCredentials): Promise<boolean> =>
  checkSecret(store.db, clientId, { secret: clientSecret, now: 5 })
beforeEach(async () => {
  directory = temporaryDirectory()
  store = await openStore({ directory: directory.path })
  delivered = []
})
afterEach(async () => {
  await store.close()
  directory.remove()
})

function last(): AdministratorCredentials {
  const credentials = delivered.at(-1)
  if (credentials === undefined) throw new Error('nothing delivered')
  return credentials
}

describe('first administrator', () => {
  it('is made once, and not again after it was deleted (T-ARC-4)', async () => {
    await createFirstAdministrator(store, 1, deliver)
    await createFirstAdministrator(store, 2, deliver)
    expect(delivered).toHaveLength(1)
    await expect(works(last())).resolves.toBe(true)
    await store.db.deleteFrom('service_principals').execute()
    await createFirstAdministrator(store, 3, deliver)
    expect(delivered).toHaveLength(1)
  })

  it('does not exist when its credentials could not be delivered, and the next start makes it', async () => {
    await expect(
      createFirstAdministrator(store, 1, () => {
        throw new Error('disk full')
      }),
    ).rejects.toThrow('disk full')
    const rows = await store.db.selectFrom('service_principals').selectAll().execute()
    expect(rows).toEqual([])
    await createFirstAdministrator(store, 1, deliver)
    await expect(works(last())).resolves.toBe(true)
  })

  it('gets a new secret by reset, the old one stops, a disabled or deleted one comes back', async () => {
    await createFirstAdministrator(store, 1, deliver)
    const first = last()
    await store.db.updateTable('service_principals').set({ enabled: 0, administrator: 0 }).execute()
    await resetAdministrator(store, 2, deliver)
    const second = last()
    expect(second.clientId).toBe(first.clientId)
    await expect(works(first)).resolves.toBe(false)
    await expect(works(second)).resolves.toBe(true)
    await store.db.deleteFrom('service_principals').execute()
    await resetAdministrator(store, 3, deliver)
    expect(last().clientId).not.toBe(first.clientId)
    await expect(works(last())).resolves.toBe(true)
    await createFirstAdministrator(store, 4, deliver)
    expect(delivered).toHaveLength(3)
  })

  it('stores only a hash', async () => {
    await createFirstAdministrator(store, 1, deliver)
    const rows = await store.db.selectFrom('service_principal_secrets').selectAll().execute()
    expect(JSON.stringify(rows)).not.toContain(last().clientSecret.slice(3))
  })

  it('is refused with an expired secret', async () => {
    await createFirstAdministrator(store, 1, deliver)
    await store.db.updateTable('service_principal_secrets').set({ expires_at: 5 }).execute()
    await expect(works(last())).resolves.toBe(false)
  })
})
