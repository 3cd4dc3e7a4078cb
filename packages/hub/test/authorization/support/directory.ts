/**
 * Principals in the directory of an API under test, who sign in with their name as token, and what is assigned to them.
 * @module
 */
import { randomUUID } from 'node:crypto'
import { builtInRoles } from '../../../src/authorization/built-in-roles.ts'
import { withGroups } from '../../../src/authorization/assignees.ts'
import type { Principal } from '../../../src/identity/principal.ts'
import type { Answer, ApiFixture } from '../../api/support/api-fixture.ts'

/** Adds a user, in the groups given. */
export async function addUser(
  api: ApiFixture,
  name: string,
  groups: string[] = [],
): Promise<string> {
  const objectId = randomUUID()
  await api.store.db
    .insertInto('users')
    .values({
      object_id: objectId,
      user_principal_name: `${name}@example.com`,
      upn_key: `${name}@example.com`,
      display_name: name,
      mail: null,
      password_hash: null,
      enabled: 1,
      administrator: 0,
      revoked_seq: 0,
      created_at: api.clock.now,
    })
    .execute()
  for (const group of groups) await addMember(api, group, { id: objectId, kind: 'user' })
  await signIn(api, name, { objectId, kind: 'user' })
  return objectId
}

/** Adds a group, a member of the groups given. */
export async function addGroup(
  api: ApiFixture,
  name: string,
  groups: string[] = [],
): Promise<string> {
  const objectId = randomUUID()
  await api.store.db
    .insertInto('directory_groups')
    .values({
      object_id: objectId,
      display_name: name,
      description: null,
      created_at: api.clock.now,
    })
    .execute()
  for (const group of groups) await addMember(api, group, { id: objectId, kind: 'group' })
  return objectId
}

async function addMember(
  api: ApiFixture,
  group: string,
  member: { id: string; kind: 'user' | 'group' },
): Promise<void> {
  await api.store.db
    .insertInto('group_members')
    .values({ group_id: group, member_id: member.id, member_kind: member.kind })
    .execute()
}

async function signIn(
  api: ApiFixture,
  name: string,
  who: { objectId: string; kind: Principal['kind'] },
): Promise<void> {
  const [, ...groups] = await withGroups(api.store.db, who.objectId)
  api.principals.set(name, {
    ...who,
    tenantId: api.context.tenantId,
    displayName: name,
    administrator: false,
    groups,
  })
}

/** GUID of a built-in role. */
export function roleId(name: string): string {
  const role = builtInRoles.find((one) => one.name === name)
  if (role === undefined) throw new Error(`no role ${name}`)
  return role.id
}

/** What an assignment is to say. */
export interface Wanted {
  scope: string
  role: string
  principalId: string
  id?: string
  token?: string
  more?: Record<string, unknown>
}

/** Path of an assignment. */
export function assignmentPath(scope: string, id: string): string {
  return `${scope === '/' ? '' : scope}/providers/Microsoft.Authorization/roleAssignments/${id}`
}

/** Assigns a role by the API. `role` is a name or a GUID. */
export async function assign(api: ApiFixture, wanted: Wanted): Promise<Answer & { id: string }> {
  const { scope, role, principalId, id = randomUUID(), token = 'administrator', more = {} } = wanted
  const guid = /^[0-9a-f-]{36}$/.test(role) ? role : roleId(role)
  const answer = await api.call('PUT', assignmentPath(scope, id), {
    token,
    body: {
      properties: {
        roleDefinitionId: `/subscriptions/${api.subscriptionId}/providers/Microsoft.Authorization/roleDefinitions/${guid}`,
        principalId,
        ...more,
      },
    },
  })
  return { ...answer, id }
}
