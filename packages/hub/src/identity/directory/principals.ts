/**
 * Any object id: what it is, and who it is as a caller.
 * @module
 */
import type { Kysely } from 'kysely'
import type { Database } from '../../store/database.ts'
import type { Principal } from '../principal.ts'
import { findGroup, transitiveGroups } from './groups.ts'
import { findServicePrincipal, type ServicePrincipal } from './service-principals.ts'
import { findUser, type User } from './users.ts'

/** What an object id names. */
export interface DirectoryObject {
  kind: 'user' | 'app' | 'group'
  objectId: string
  displayName: string
  /** Always true for groups. */
  enabled: boolean
}

/** What has this object id, disabled ones too. */
export async function findPrincipal(
  db: Kysely<Database>,
  objectId: string,
): Promise<DirectoryObject | undefined> {
  const account = await findAccount(db, objectId)
  if (account !== undefined) {
    const { displayName, enabled } = account.from
    return { kind: account.kind, objectId: account.from.objectId, displayName, enabled }
  }
  const group = await findGroup(db, objectId)
  if (group === undefined) return undefined
  return { kind: 'group', objectId: group.objectId, displayName: group.displayName, enabled: true }
}

/** What can sign in. */
export type Account = { kind: 'user'; from: User } | { kind: 'app'; from: ServicePrincipal }

/** The user or service principal with this object id, disabled ones too. */
export async function findAccount(
  db: Kysely<Database>,
  objectId: string,
): Promise<Account | undefined> {
  const user = await findUser(db, { objectId })
  if (user !== undefined) return { kind: 'user', from: user }
  const app = await findServicePrincipal(db, { objectId: objectId.toLowerCase() })
  return app === undefined ? undefined : { kind: 'app', from: app }
}

/** The enabled principal with this object id, with all its groups; undefined when there is none or it is disabled. */
export async function loadPrincipal(
  db: Kysely<Database>,
  objectId: string,
  tenantId: string,
): Promise<Principal | undefined> {
  const account = await findAccount(db, objectId)
  return account?.from.enabled === true ? asPrincipal(db, account, tenantId) : undefined
}

/** The caller this account is: its own groups, nested ones included, and those its outside issuer named. */
export async function asPrincipal(
  db: Kysely<Database>,
  account: Account,
  tenantId: string,
): Promise<Principal> {
  const { objectId, displayName, administrator } = account.from
  const outside = await db
    .selectFrom('outside_groups')
    .select('group_name')
    .where('object_id', '=', objectId)
    .orderBy('group_name')
    .execute()
  const groups = await transitiveGroups(db, objectId)
  return {
    objectId,
    kind: account.kind,
    tenantId,
    displayName,
    ...(account.kind === 'app' ? { appId: account.from.appId } : {}),
    administrator,
    // Both may name a group: an agent refuses a token that names one twice.
    groups: [...new Set([...groups, ...outside.map((row) => row.group_name)])],
  }
}
