/**
 * What the agent of a cluster materialises: every assignment of a role with data actions that applies there.
 * @module
 */
import { createHash } from 'node:crypto'
import type { Kysely } from 'kysely'
import {
  limits,
  parseClusterId,
  type AgentAssignment,
  type AgentAssignments,
  type AgentRole,
} from '@sallyport/protocol'
import { disabledFeatures } from '../registry/features.ts'
import type { Database } from '../store/database.ts'
import { findRole } from './role-definitions.ts'
import type { RoleDefinition } from './roles.ts'
import { rangeBelow, scopeChain, scopeKey } from './scopes.ts'
import type { RoleAssignmentTable } from './tables.ts'

/** Assignments of a cluster, by its lower-cased ARM id, as they hold at `now`; none while `azure-rbac` is off. */
export async function agentAssignments(
  db: Kysely<Database>,
  clusterKey: string,
  now: number,
): Promise<AgentAssignments> {
  const isOff = (await disabledFeatures(db, clusterKey)).includes('azure-rbac')
  const rows = isOff ? [] : await rowsFor(db, clusterKey, now)
  const roles = new Map<string, RoleDefinition | undefined>()
  const assignments: AgentAssignment[] = []
  for (const row of rows) {
    if (!roles.has(row.role_id)) roles.set(row.role_id, await findRole(db, row.role_id))
    const role = roles.get(row.role_id)
    if (role !== undefined && hasDataActions(role)) assignments.push(toAssignment(row, clusterKey))
  }
  const used = new Set(assignments.map((assignment) => assignment.roleId))
  const content = {
    roles: [...roles.values()]
      .filter((role) => role !== undefined)
      .filter((role) => used.has(role.id))
      .map(toRole)
      .sort((a, b) => (a.id < b.id ? -1 : 1)),
    assignments,
  }
  return { version: versionOf(content), ...content }
}

/** Version of what `agentAssignments` answers: another content, another version. */
export async function assignmentsVersion(
  db: Kysely<Database>,
  clusterKey: string,
  now: number,
): Promise<string> {
  return (await agentAssignments(db, clusterKey, now)).version
}

/** In force at, above and below the cluster; principals that are gone are left out, their assignments stay as ARM keeps them. */
async function rowsFor(
  db: Kysely<Database>,
  clusterKey: string,
  now: number,
): Promise<RoleAssignmentTable[]> {
  const { subscriptionId, resourceGroup, name } = parseClusterId(clusterKey)
  const scope = { subscriptionId, resourceGroup, cluster: name }
  const { from, to } = rangeBelow(scopeKey(scope))
  return db
    .selectFrom('role_assignments')
    .selectAll()
    .where((eb) =>
      eb.or([
        eb('scope_key', 'in', scopeChain(scope)),
        eb.and([eb('scope_key', '>', from), eb('scope_key', '<', to)]),
      ]),
    )
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', now)]))
    .where((eb) =>
      eb.or(
        (['users', 'service_principals', 'directory_groups'] as const).map((table) =>
          eb('principal_id', 'in', eb.selectFrom(table).select('object_id')),
        ),
      ),
    )
    .orderBy('assignment_id')
    .limit(limits.assignmentsPerScope)
    .execute()
}

function toAssignment(row: RoleAssignmentTable, clusterKey: string): AgentAssignment {
  const prefix = `${clusterKey}/namespaces/`
  const namespace = row.scope_key.startsWith(prefix)
    ? row.scope_key.slice(prefix.length)
    : undefined
  return {
    id: row.assignment_id,
    principalId: row.principal_id,
    subjectKind: row.principal_type === 'Group' ? 'Group' : 'User',
    ...(namespace === undefined ? {} : { namespace }),
    roleId: row.role_id,
  }
}

function toRole(role: RoleDefinition): AgentRole {
  return {
    id: role.id,
    name: role.name,
    permissions: role.permissions.map(({ dataActions, notDataActions }) => ({
      dataActions: [...dataActions],
      notDataActions: [...notDataActions],
    })),
  }
}

function hasDataActions(role: RoleDefinition): boolean {
  return role.permissions.some(({ dataActions }) => dataActions.length > 0)
}

function versionOf(content: unknown): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('base64url')
}
