/**
 * Groups, which may be members of groups. Cycles are harmless: the recursive queries visit each group once.
 * @module
 */
import { randomUUID } from 'node:crypto'
import type { Kysely, Selectable, Transaction } from 'kysely'
import { limits, SallyportError } from '@sallyport/protocol'
import { revoke } from '../../registry/revocations.ts'
import type { Database } from '../../store/database.ts'
import { checkedDisplayName } from './names.ts'
import type { DirectoryGroupTable, GroupMemberTable } from './tables.ts'

/** A group as the directory knows it. */
export interface Group {
  objectId: string
  displayName: string
  description: string | null
  createdAt: number
}

/** Kind of a member, as the table says it. */
export type MemberKind = GroupMemberTable['member_kind']

/** A row as a group. */
export function toGroup(row: Selectable<DirectoryGroupTable>): Group {
  return {
    objectId: row.object_id,
    displayName: row.display_name,
    description: row.description,
    createdAt: row.created_at,
  }
}

/** The group, or undefined. */
export async function findGroup(
  db: Kysely<Database>,
  objectId: string,
): Promise<Group | undefined> {
  const row = await db
    .selectFrom('directory_groups')
    .selectAll()
    .where('object_id', '=', objectId.toLowerCase())
    .executeTakeFirst()
  return row === undefined ? undefined : toGroup(row)
}

/** @throws SallyportError ERR_DIRECTORY_NOT_FOUND. */
export async function requireGroup(db: Kysely<Database>, objectId: string): Promise<Group> {
  const found = await findGroup(db, objectId)
  if (found !== undefined) return found
  throw new SallyportError('ERR_DIRECTORY_NOT_FOUND', 'there is no such group')
}

/**
 * Makes a group. Their number is bounded, and with it the number of groups any principal can be in.
 * @throws SallyportError ERR_DIRECTORY_CONFLICT at the limit, ERR_ARM_INVALID_REQUEST.
 */
export async function insertGroup(
  trx: Transaction<Database>,
  made: { displayName: string; description?: string | null; now: number },
): Promise<Group> {
  const { count } = await trx
    .selectFrom('directory_groups')
    .select((select) => select.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  if (count >= limits.groupsPerPrincipal) {
    throw new SallyportError(
      'ERR_DIRECTORY_CONFLICT',
      `the directory has ${limits.groupsPerPrincipal} groups, which is its limit`,
    )
  }
  const row: DirectoryGroupTable = {
    object_id: randomUUID(),
    display_name: checkedDisplayName(made.displayName),
    description: typeof made.description === 'string' ? checkedDescription(made.description) : null,
    created_at: made.now,
  }
  await trx.insertInto('directory_groups').values(row).execute()
  return toGroup(row)
}

/** Changes names only: who is in it stays. @throws SallyportError ERR_DIRECTORY_NOT_FOUND, ERR_ARM_INVALID_REQUEST. */
export async function updateGroup(
  trx: Transaction<Database>,
  objectId: string,
  change: { displayName?: string | undefined; description?: string | null | undefined },
): Promise<void> {
  const { objectId: id } = await requireGroup(trx, objectId)
  const row: Partial<DirectoryGroupTable> = {}
  if (change.displayName !== undefined) row.display_name = checkedDisplayName(change.displayName)
  if (change.description !== undefined) {
    row.description = change.description === null ? null : checkedDescription(change.description)
  }
  if (Object.keys(row).length === 0) return
  await trx.updateTable('directory_groups').set(row).where('object_id', '=', id).execute()
}

function checkedDescription(text: string): string {
  return checkedDisplayName(text, 'description')
}

/** Deletes a group with all its memberships; who was in it loses what it gave. @throws SallyportError ERR_DIRECTORY_NOT_FOUND. */
export async function deleteGroup(
  trx: Transaction<Database>,
  objectId: string,
  now: number,
): Promise<void> {
  const { objectId: id } = await requireGroup(trx, objectId)
  const affected = await transitiveMembers(trx, id)
  await trx.deleteFrom('group_members').where('member_id', '=', id).execute()
  await trx.deleteFrom('group_members').where('group_id', '=', id).execute()
  await trx.deleteFrom('directory_groups').where('object_id', '=', id).execute()
  await revokeAll(trx, affected, { reason: 'group deleted', now })
}

/**
 * Puts a user, service principal or group into a group.
 * @throws SallyportError ERR_DIRECTORY_NOT_FOUND, ERR_DIRECTORY_CONFLICT when it is in there already.
 */
export async function addMember(
  trx: Transaction<Database>,
  groupId: string,
  member: { objectId: string; kind: MemberKind },
): Promise<void> {
  const { objectId: id } = await requireGroup(trx, groupId)
  const memberId = member.objectId.toLowerCase()
  if (memberId === id) {
    throw new SallyportError('ERR_ARM_INVALID_REQUEST', 'a group cannot be its own member')
  }
  const result = await trx
    .insertInto('group_members')
    .values({ group_id: id, member_id: memberId, member_kind: member.kind })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  if (result.numInsertedOrUpdatedRows === 1n) return
  throw new SallyportError(
    'ERR_DIRECTORY_CONFLICT',
    'One or more added object references already exist: it is a member already.',
  )
}

/** Takes a member out; it and everybody below it lose what the group gave. @throws SallyportError ERR_DIRECTORY_NOT_FOUND. */
export async function removeMember(
  trx: Transaction<Database>,
  groupId: string,
  { memberId, now }: { memberId: string; now: number },
): Promise<void> {
  const { objectId: id } = await requireGroup(trx, groupId)
  const member = memberId.toLowerCase()
  const row = await trx
    .deleteFrom('group_members')
    .where('group_id', '=', id)
    .where('member_id', '=', member)
    .returning('member_kind')
    .executeTakeFirst()
  if (row === undefined) {
    throw new SallyportError('ERR_DIRECTORY_NOT_FOUND', 'it is not a member of this group')
  }
  const affected =
    row.member_kind === 'group'
      ? await transitiveMembers(trx, member)
      : [{ objectId: member, kind: row.member_kind }]
  await revokeAll(trx, affected, { reason: 'group membership removed', now })
}

/** Ids of all groups a user, service principal or group is in, directly or through groups, in order. One query. */
export async function transitiveGroups(db: Kysely<Database>, objectId: string): Promise<string[]> {
  const rows = await db
    .withRecursive('above(group_id)', (cte) =>
      cte
        .selectFrom('group_members')
        .select('group_id')
        .where('member_id', '=', objectId.toLowerCase())
        .union(
          cte
            .selectFrom('above')
            .innerJoin('group_members as m', 'm.member_id', 'above.group_id')
            .select('m.group_id'),
        ),
    )
    .selectFrom('above')
    .select('group_id')
    .orderBy('group_id')
    .execute()
  return rows.map((row) => row.group_id)
}

/** A member and its kind. */
export interface Member {
  objectId: string
  kind: MemberKind
}

/** Everything in a group, directly or through groups, in order of the ids; the group itself only when it is in a cycle. */
export async function transitiveMembers(
  db: Kysely<Database>,
  groupId: string,
  page?: { after: string | undefined; limit: number },
): Promise<Member[]> {
  let query = db
    .withRecursive('below(member_id, member_kind)', (cte) =>
      cte
        .selectFrom('group_members')
        .select(['member_id', 'member_kind'])
        .where('group_id', '=', groupId.toLowerCase())
        .union(
          cte
            .selectFrom('below')
            .innerJoin('group_members as m', 'm.group_id', 'below.member_id')
            .select(['m.member_id', 'm.member_kind']),
        ),
    )
    .selectFrom('below')
    .select(['member_id', 'member_kind'])
    .orderBy('member_id')
  if (page?.after !== undefined) query = query.where('member_id', '>', page.after)
  if (page !== undefined) query = query.limit(page.limit)
  const rows = await query.execute()
  return rows.map((row) => ({ objectId: row.member_id, kind: row.member_kind }))
}

/** Tells agents whose groups shrank; above a number of them: everybody's may have. Access tokens of the hub name no groups. */
async function revokeAll(
  trx: Transaction<Database>,
  members: Member[],
  details: { reason: string; now: number },
): Promise<void> {
  const principals = members.filter((member) => member.kind !== 'group')
  if (principals.length > limits.principalsRevokedOneByOne) {
    await revoke(trx, { kind: 'all' }, details)
    return
  }
  for (const { objectId } of principals) await revoke(trx, { kind: 'principal', objectId }, details)
}
