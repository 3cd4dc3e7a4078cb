/**
 * Microsoft.Authorization: role definitions and role assignments as the API takes and shows them
 * (azure-rest-api-specs, authorization 2022-04-01; `expiresOn` is ours).
 * @module
 */
import Type, { type Static } from 'typebox'
import { limits } from './limits.ts'

const open = { additionalProperties: true } as const
const closed = { additionalProperties: false } as const

/** Clients send null for what they leave out, and back what they read. */
const orNull = <T extends Type.TSchema>(schema: T) =>
  Type.Optional(Type.Union([schema, Type.Null()]))
const ignored = Type.Optional(Type.Unknown())

const Guid = Type.String({ minLength: 1, maxLength: 64 })
const Scope = Type.String({ minLength: 1, maxLength: 1024 })
const ActionName = Type.String({ minLength: 1, maxLength: limits.roleActionLength })
const Actions = Type.Array(ActionName, { maxItems: limits.roleActions })

/** Members that the hub sets; in a PUT they are ignored. */
const changes = {
  createdOn: ignored,
  updatedOn: ignored,
  createdBy: ignored,
  updatedBy: ignored,
}

/** Body of PUT roleAssignments/{name}. Members it does not know are refused: nobody shall think that they did something. */
export const RoleAssignmentPutSchema = Type.Object(
  {
    properties: Type.Object(
      {
        roleDefinitionId: Type.String({ minLength: 1, maxLength: 1024 }),
        principalId: Guid,
        principalType: orNull(Type.String({ maxLength: 64 })),
        description: orNull(Type.String({ maxLength: limits.roleDescriptionLength })),
        condition: orNull(Type.String({ maxLength: 8192 })),
        conditionVersion: orNull(Type.String({ maxLength: 64 })),
        delegatedManagedIdentityResourceId: orNull(Type.String({ maxLength: 1024 })),
        canDelegate: ignored,
        expiresOn: orNull(Type.String({ maxLength: 64 })),
        scope: ignored,
        ...changes,
      },
      closed,
    ),
  },
  open,
)
export type RoleAssignmentPut = Static<typeof RoleAssignmentPutSchema>

const Shown = {
  createdOn: orNull(Type.String()),
  updatedOn: orNull(Type.String()),
  createdBy: orNull(Type.String()),
  updatedBy: orNull(Type.String()),
}

/** A role assignment. */
export const RoleAssignmentSchema = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    type: Type.String(),
    properties: Type.Object(
      {
        roleDefinitionId: Type.String(),
        principalId: Type.String(),
        principalType: Type.String(),
        scope: Type.String(),
        description: orNull(Type.String()),
        condition: orNull(Type.String()),
        conditionVersion: orNull(Type.String()),
        delegatedManagedIdentityResourceId: orNull(Type.String()),
        expiresOn: orNull(Type.String()),
        ...Shown,
      },
      open,
    ),
  },
  open,
)
export type RoleAssignment = Static<typeof RoleAssignmentSchema>

/** One set of rights of a role. */
export const RolePermissionSchema = Type.Object(
  {
    actions: Type.Optional(Actions),
    notActions: Type.Optional(Actions),
    dataActions: Type.Optional(Actions),
    notDataActions: Type.Optional(Actions),
    condition: Type.Optional(Type.Null()),
    conditionVersion: Type.Optional(Type.Null()),
  },
  closed,
)

/** Body of PUT roleDefinitions/{id}. */
export const RoleDefinitionPutSchema = Type.Object(
  {
    properties: Type.Object(
      {
        roleName: Type.String({ minLength: 1, maxLength: limits.roleNameLength }),
        description: orNull(Type.String({ maxLength: limits.roleDescriptionLength })),
        type: orNull(Type.String({ maxLength: 64 })),
        permissions: Type.Array(RolePermissionSchema, {
          minItems: 1,
          maxItems: limits.rolePermissions,
        }),
        assignableScopes: Type.Array(Scope, {
          minItems: 1,
          maxItems: limits.roleAssignableScopes,
        }),
        ...changes,
      },
      closed,
    ),
  },
  open,
)
export type RoleDefinitionPut = Static<typeof RoleDefinitionPutSchema>

/** A role definition. */
export const RoleDefinitionSchema = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    type: Type.String(),
    properties: Type.Object(
      {
        roleName: Type.String(),
        type: Type.String(),
        description: Type.String(),
        permissions: Type.Array(
          Type.Object(
            {
              actions: Type.Array(Type.String()),
              notActions: Type.Array(Type.String()),
              dataActions: Type.Array(Type.String()),
              notDataActions: Type.Array(Type.String()),
            },
            open,
          ),
        ),
        assignableScopes: Type.Array(Type.String()),
        ...Shown,
      },
      open,
    ),
  },
  open,
)
export type RoleDefinitionResource = Static<typeof RoleDefinitionSchema>
