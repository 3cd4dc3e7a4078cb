/**
 * Role assignments as the hub hands them to the agent, which materialises them as objects of Kubernetes RBAC.
 * @module
 */
import Type, { type Static } from 'typebox'

/** One role assignment for the agent to materialise. */
export const AgentAssignmentSchema = Type.Object({
  /** GUID of the role assignment. */
  id: Type.String({ format: 'uuid' }),
  principalId: Type.String({ format: 'uuid' }),
  subjectKind: Type.Union([Type.Literal('User'), Type.Literal('Group')]),
  /** Namespace of a namespace scope; absent for the whole cluster. */
  namespace: Type.Optional(Type.String({ pattern: '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$' })),
  /** GUID of the role definition. */
  roleId: Type.String({ format: 'uuid' }),
})
export type AgentAssignment = Static<typeof AgentAssignmentSchema>

/** A role that assignments name, by its data actions; the agent maps them to rules of Kubernetes RBAC. */
export const AgentRoleSchema = Type.Object({
  id: Type.String({ format: 'uuid' }),
  name: Type.String({ minLength: 1, maxLength: 512 }),
  permissions: Type.Array(
    Type.Object({
      dataActions: Type.Array(Type.String({ maxLength: 512 }), { maxItems: 1_000 }),
      notDataActions: Type.Array(Type.String({ maxLength: 512 }), { maxItems: 1_000 }),
    }),
    { maxItems: 16 },
  ),
})
export type AgentRole = Static<typeof AgentRoleSchema>

/** Answer of POST assignments: everything that applies to the cluster now. */
export const AgentAssignmentsSchema = Type.Object({
  version: Type.String({ minLength: 1, maxLength: 64 }),
  roles: Type.Array(AgentRoleSchema, { maxItems: 1_000 }),
  assignments: Type.Array(AgentAssignmentSchema, { maxItems: 10_000 }),
})
export type AgentAssignments = Static<typeof AgentAssignmentsSchema>
