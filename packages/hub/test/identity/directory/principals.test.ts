import { expect, it } from 'vitest'
import { loadPrincipal } from '../../../src/identity/directory/principals.ts'
import { openDirectory } from './support.ts'

it('a group that the directory and an outside issuer both name is one group of the person', async () => {
  await using directory = await openDirectory()
  const { objectId } = await directory.user('abe')
  const user = await directory.user('ada')
  const both = await directory.group('both', user)
  await directory.store.db
    .insertInto('outside_groups')
    .values([
      { object_id: user.objectId, group_name: both.objectId },
      { object_id: user.objectId, group_name: 'dex:a' },
      { object_id: objectId, group_name: 'dex:b' },
    ])
    .execute()
  const principal = await loadPrincipal(directory.store.db, user.objectId, 'tenant')
  expect(principal?.groups).toEqual([both.objectId, 'dex:a'])
})
