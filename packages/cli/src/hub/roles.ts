/**
 * Role definitions and role assignments at the hub.
 * @module
 */
import { randomUUID } from 'node:crypto'
import {
  RoleAssignmentSchema,
  RoleDefinitionSchema,
  SallyportError,
  isGuid,
  type RoleAssignment,
  type RoleAssignmentPut,
  type RoleDefinitionPut,
  type RoleDefinitionResource,
} from '@sallyport/protocol'
import type { Scope } from './clusters.ts'

const provider = '/providers/Microsoft.Authorization'

/** Path of the provider at a scope; each part of the scope is encoded, whatever was typed. */
function pathAt(scope: string, rest: string): string {
  const parts = scope.split('/').filter((part) => part !== '')
  const root = parts.map((part) => `/${encodeURIComponent(part)}`).join('')
  return `${root}${provider}/${rest}`
}

/** The scope a line means without --scope: the resource group, else the subscription. */
export function defaultScope(hub: Scope, resourceGroup: string | undefined): string {
  const subscription = `/subscriptions/${hub.subscriptionId}`
  return resourceGroup === undefined
    ? subscription
    : `${subscription}/resourceGroups/${resourceGroup}`
}

/** Role definitions at a scope. */
export function listRoles(
  hub: Scope,
  scope: string,
  filter?: string,
): Promise<RoleDefinitionResource[]> {
  const query = filter === undefined ? '' : `?$filter=${encodeURIComponent(filter)}`
  const path = `${pathAt(scope, 'roleDefinitions')}${query}`
  return hub.client.list(
    { method: 'GET', path, signal: hub.signal },
    RoleDefinitionSchema,
    'list of roles',
  )
}

/** The role a person named by its name, GUID or id. @throws SallyportError ERR_ROLE_NOT_FOUND. */
export async function findRole(
  hub: Scope,
  scope: string,
  named: string,
): Promise<RoleDefinitionResource> {
  const last = named.split('/').at(-1) ?? ''
  if (isGuid(last)) {
    const path = pathAt(scope, `roleDefinitions/${last}`)
    return hub.client.json(
      { method: 'GET', path, signal: hub.signal },
      RoleDefinitionSchema,
      'role',
    )
  }
  const [found] = await listRoles(hub, scope, `roleName eq '${named.replaceAll("'", "''")}'`)
  if (found !== undefined) return found
  throw new SallyportError('ERR_ROLE_NOT_FOUND', `there is no role '${named}' at ${scope}`, {
    remedy: 'list the roles: sallyport role definition list -o table',
  })
}

/** Makes or replaces a custom role; without `id` a new one. */
export function putRole(
  hub: Scope,
  role: { id?: string; scope: string; body: RoleDefinitionPut },
): Promise<RoleDefinitionResource> {
  const path = pathAt(role.scope, `roleDefinitions/${role.id ?? randomUUID()}`)
  return hub.client.json(
    { method: 'PUT', path, body: role.body, signal: hub.signal },
    RoleDefinitionSchema,
    'role',
  )
}

/** Deletes a custom role. */
export async function deleteRole(hub: Scope, scope: string, id: string): Promise<void> {
  const path = pathAt(scope, `roleDefinitions/${id}`)
  await hub.client.call({ method: 'DELETE', path, signal: hub.signal })
}

/** Assignments that apply at a scope, above and below it. */
export function listAssignments(
  hub: Scope,
  scope: string,
  filter?: string,
): Promise<RoleAssignment[]> {
  const query = filter === undefined ? '' : `?$filter=${encodeURIComponent(filter)}`
  const path = `${pathAt(scope, 'roleAssignments')}${query}`
  return hub.client.list(
    { method: 'GET', path, signal: hub.signal },
    RoleAssignmentSchema,
    'list of role assignments',
  )
}

/** Makes or changes an assignment; without `id` a new one. */
export function putAssignment(
  hub: Scope,
  assignment: { id?: string; scope: string; body: RoleAssignmentPut },
): Promise<RoleAssignment> {
  const path = pathAt(assignment.scope, `roleAssignments/${assignment.id ?? randomUUID()}`)
  return hub.client.json(
    { method: 'PUT', path, body: assignment.body, signal: hub.signal },
    RoleAssignmentSchema,
    'role assignment',
  )
}

/** Deletes an assignment. */
export async function deleteAssignment(
  hub: Scope,
  { id, scope }: { id: string; scope: string },
): Promise<void> {
  const path = pathAt(scope, `roleAssignments/${id}`)
  await hub.client.call({ method: 'DELETE', path, signal: hub.signal })
}
