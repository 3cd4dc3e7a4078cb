/**
 * Principals as assignments name them: what they are, which groups they are in, who a group stands for.
 * @module
 */
import { sql, type Kysely } from 'kysely'
import type { Database } from '../store/database.ts'

/** What a role may be assigned to. */
export type PrincipalType = 'User' | 'Group' | 'ServicePrincipal'

/** A principal as far as assignments need it. */
export interface Assignee {
  type: PrincipalType
  administrator: boolean
}

/** The principal with this lower-case object id, undefined when there is none. */
export async function findAssignee(
  db: Kysely<Database>,
  objectId: string,
): Promise<Assignee | undefined> {
  const people = [
    ['users', 'User'],
    ['service_principals', 'ServicePrincipal'],
  ] as const
  for (const [table, type] of people) {
    const row = await db
      .selectFrom(table)
      .select('administrator')
      .where('object_id', '=', objectId)
      .executeTakeFirst()
    if (row !== undefined) return { type, administrator: row.administrator === 1 }
  }
  const group = await db
    .selectFrom('directory_groups')
    .select('object_id')
    .where('object_id', '=', objectId)
    .executeTakeFirst()
  return group === undefined ? undefined : { type: 'Group', administrator: false }
}

/** A principal and all groups it is in, nested ones too: every id whose assignments are its own. */
export async function withGroups(db: Kysely<Database>, objectId: string): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    WITH RECURSIVE above(id) AS (
      SELECT ${objectId}
      UNION
      SELECT group_members.group_id FROM group_members JOIN above ON group_members.member_id = above.id
    )
    SELECT id FROM above`.execute(db)
  return rows.map((row) => row.id)
}

/** Users and service principals that an object id stands for: itself, or everybody in the group and the groups in it. */
export async function peopleOf(db: Kysely<Database>, objectId: string): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    WITH RECURSIVE below(id, kind) AS (
      SELECT ${objectId}, 'given'
      UNION
      SELECT group_members.member_id, group_members.member_kind
      FROM group_members JOIN below ON group_members.group_id = below.id
    )
    SELECT DISTINCT id FROM below
    WHERE kind <> 'group' AND id NOT IN (SELECT object_id FROM directory_groups)`.execute(db)
  return rows.map((row) => row.id)
}
