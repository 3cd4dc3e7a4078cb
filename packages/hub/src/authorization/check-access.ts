/**
 * The question of other programs: may this principal do these things here.
 * @module
 */
import type { Kysely } from 'kysely'
import type { Database } from '../store/database.ts'
import { findAssignee, withGroups } from './assignees.ts'
import { grantsAt, type Grant } from './granted.ts'
import { roleAllows } from './roles.ts'
import type { Scope } from './scopes.ts'

/** Who is asked about: groups the asker knows count beside those the directory knows. */
export interface CheckSubject {
  objectId: string
  groups: readonly string[]
}

/** One thing to be done. */
export interface CheckedAction {
  id: string
  isDataAction: boolean
}

/** The answer for one action, with the assignment that decided. */
export interface CheckResult extends CheckedAction {
  decision: 'Allowed' | 'NotAllowed'
  grant: Grant | undefined
}

/** Answers for each action, in order. */
export async function checkAccess(
  db: Kysely<Database>,
  asked: { subject: CheckSubject; actions: readonly CheckedAction[]; scope: Scope; now: number },
): Promise<CheckResult[]> {
  const { subject, actions, scope, now } = asked
  const known = await findAssignee(db, subject.objectId)
  const own = known === undefined ? [] : await withGroups(db, subject.objectId)
  const grants = await grantsAt(
    db,
    { ids: [...new Set([subject.objectId, ...subject.groups, ...own])], now },
    scope,
  )
  return actions.map((action) => {
    const kind = action.isDataAction ? 'dataAction' : 'action'
    const grant = grants.find(({ role }) => roleAllows(role.permissions, action.id, kind))
    // The administrator flag is a right at the hub; inside a cluster it means nothing.
    const isAllowed = grant !== undefined || (known?.administrator === true && kind === 'action')
    return { ...action, decision: isAllowed ? 'Allowed' : 'NotAllowed', grant }
  })
}
