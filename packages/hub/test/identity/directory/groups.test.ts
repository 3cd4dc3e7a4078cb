/**
 * Nested groups: who is in what, and who loses what.
 * @module
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { limits } from '@sallyport/protocol'
import {
  addMember,
  deleteGroup,
  removeMember,
  transitiveGroups,
  transitiveMembers,
} from '../../../src/identity/directory/groups.ts'
import { loadPrincipal } from '../../../src/identity/directory/principals.ts'
import { deleteServicePrincipal } from '../../../src/identity/directory/service-principals.ts'
import { deleteUser } from '../../../src/identity/directory/users.ts'
import { asMember, openDirectory, type DirectoryFixture } from './support.ts'

let directory: DirectoryFixture
beforeEach(async () => {
  directory = await openDirectory()
})
afterEach(async () => {
  await directory[Symbol.asyncDispose]()
})

const groupsOf = (objectId: string): Promise<string[]> =>
  transitiveGroups(directory.store.db, objectId)
const idsOf = (...objects: { objectId: string }[]): string[] =>
  objects.map((object) => object.objectId).sort()

describe('nested groups', () => {
  it('count for everybody below, people and service principals alike', async () => {
    const [anna, ci] = [await directory.user('anna'), await directory.app('ci')]
    const inner = await directory.group('inner', anna)
    const middle = await directory.group('middle', inner, ci)
    const outer = await directory.group('outer', middle, anna)
    const other = await directory.group('other')
    expect(await groupsOf(anna.objectId)).toEqual(idsOf(inner, middle, outer))
    expect(await groupsOf(ci.objectId)).toEqual(idsOf(middle, outer))
    expect(await groupsOf(other.objectId)).toEqual([])
    const { db } = directory.store
    const members = await transitiveMembers(db, outer.objectId)
    expect(members.map((member) => member.objectId)).toEqual(idsOf(anna, ci, inner, middle))
    const page = await transitiveMembers(db, outer.objectId, {
      after: members[0]?.objectId,
      limit: 2,
    })
    expect(page).toEqual(members.slice(1, 3))
  })

  it('may form a cycle without harm', async () => {
    const anna = await directory.user('anna')
    const first = await directory.group('first', anna)
    const second = await directory.group('second', first)
    const third = await directory.group('third', second)
    await directory.change((trx) => addMember(trx, first.objectId, asMember(third)))
    expect(await groupsOf(anna.objectId)).toEqual(idsOf(first, second, third))
    expect(await groupsOf(first.objectId)).toEqual(idsOf(first, second, third))
    await directory.change((trx) => deleteGroup(trx, second.objectId, 2))
    expect(await groupsOf(anna.objectId)).toEqual(idsOf(first))
  })

  it('are not members of themselves, nor twice of another, nor of what is not there', async () => {
    const [inner, outer] = [await directory.group('inner'), await directory.group('outer')]
    const add = (to: string, member: typeof inner): Promise<void> =>
      directory.change((trx) => addMember(trx, to, asMember(member)))
    await expect(add(outer.objectId, outer)).rejects.toMatchObject({
      code: 'ERR_ARM_INVALID_REQUEST',
    })
    await add(outer.objectId, inner)
    await expect(add(outer.objectId, inner)).rejects.toMatchObject({
      code: 'ERR_DIRECTORY_CONFLICT',
    })
    await expect(add('00000000-0000-4000-8000-000000000000', inner)).rejects.toMatchObject({
      code: 'ERR_DIRECTORY_NOT_FOUND',
    })
  })
})

describe('a membership removed', () => {
  it('revokes everybody below it, without ending access tokens', async () => {
    const [anna, ben, ci] = [
      await directory.user('anna'),
      await directory.user('ben'),
      await directory.app('ci'),
    ]
    const inner = await directory.group('inner', anna, ci)
    const outer = await directory.group('outer', inner, ben)
    await directory.change((trx) =>
      removeMember(trx, outer.objectId, { memberId: inner.objectId, now: 2 }),
    )
    const revoked = await directory.revocations()
    expect(revoked.map(({ kind, target }) => [kind, target]).sort()).toEqual(
      idsOf(anna, ci).map((id) => ['principal', id]),
    )
    expect((await groupsOf(anna.objectId)).length).toBe(1)
    const row = await directory.store.db.selectFrom('users').select('revoked_seq').execute()
    expect(row).toEqual([{ revoked_seq: 0 }, { revoked_seq: 0 }])
    await expect(
      directory.change((trx) =>
        removeMember(trx, outer.objectId, { memberId: inner.objectId, now: 2 }),
      ),
    ).rejects.toMatchObject({ code: 'ERR_DIRECTORY_NOT_FOUND' })
  })

  it('with its group revokes who was in there, and goes with a deleted member', async () => {
    const [anna, ci] = [await directory.user('anna'), await directory.app('ci')]
    const group = await directory.group('group', anna)
    const other = await directory.group('other', anna, ci, group)
    await directory.change((trx) => deleteGroup(trx, group.objectId, 2))
    expect((await directory.revocations()).map((each) => each.target)).toEqual([anna.objectId])
    await directory.change(async (trx) => {
      await deleteUser(trx, anna.objectId, 3)
      await deleteServicePrincipal(trx, ci.objectId, 3)
    })
    expect(await transitiveMembers(directory.store.db, other.objectId)).toEqual([])
  })

  it('of very many is a revocation of all', async () => {
    const group = await directory.group('group')
    const outer = await directory.group('outer', group)
    const count = limits.principalsRevokedOneByOne + 1
    await fill(
      Array.from({ length: count }, (_, index) => ({
        group_id: group.objectId,
        member_id: `member-${index}`,
      })),
    )
    await directory.change((trx) =>
      removeMember(trx, outer.objectId, { memberId: group.objectId, now: 2 }),
    )
    expect(await directory.revocations()).toEqual([{ seq: 1, kind: 'all', target: '' }])
  })
})

/** Memberships of users in bulk, past the one-by-one functions. */
async function fill(rows: { group_id: string; member_id: string }[]): Promise<void> {
  await directory.change(async (trx) => {
    for (let at = 0; at < rows.length; at += 500) {
      const values = rows
        .slice(at, at + 500)
        .map((row) => ({ ...row, member_kind: 'user' as const }))
      await trx.insertInto('group_members').values(values).execute()
    }
  })
}

describe('5,000 groups', () => {
  it('on a user and on a service principal are loaded in one query of a few milliseconds', async () => {
    const [anna, ci] = [await directory.user('anna'), await directory.app('ci')]
    const ids = Array.from(
      { length: 5_000 },
      (_, index) => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
    )
    await directory.change(async (trx) => {
      for (let at = 0; at < ids.length; at += 500) {
        const part = ids.slice(at, at + 500)
        await trx
          .insertInto('directory_groups')
          .values(
            part.map((object_id) => ({
              object_id,
              display_name: object_id,
              description: null,
              created_at: 1,
            })),
          )
          .execute()
      }
    })
    // Half of them directly, half through one group in between.
    const between = await directory.group('between', anna, ci)
    await fill(
      ids.flatMap((group_id, index) =>
        index % 2 === 0
          ? [anna, ci].map(({ objectId }) => ({ group_id, member_id: objectId }))
          : [{ group_id, member_id: between.objectId }],
      ),
    )
    for (const { objectId } of [anna, ci]) {
      const times: number[] = []
      for (let round = 0; round < 7; round++) {
        const start = performance.now()
        const principal = await loadPrincipal(directory.store.db, objectId, 'tenant')
        times.push(performance.now() - start)
        expect(principal?.groups).toEqual([...ids, between.objectId].sort())
      }
      const median = times.sort((a, b) => a - b)[3] ?? Infinity
      process.stdout.write(`5,000 groups loaded in ${median.toFixed(1)} ms\n`)
      expect(median).toBeLessThan(250)
    }
  })
})
