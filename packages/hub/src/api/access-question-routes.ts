/**
 * Microsoft.Authorization: the caller's permissions, checkAccess, deny assignments (there are none), and what roles may name.
 * @module
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import Type, { type Static } from 'typebox'
import { SallyportError, limits, pageSchema } from '@sallyport/protocol'
import { checkAccess, type CheckResult } from '../authorization/check-access.ts'
import { grantsAt, idsOf } from '../authorization/granted.ts'
import { checkedScope, isWithin, scopeKey, type Scope } from '../authorization/scopes.ts'
import { principalOf, requires } from './access.ts'
import type { Api } from './api-instance.ts'
import {
  atEveryScope,
  checkedGuid,
  requestScope,
  shownRoleId,
  withName,
} from './authorization-scope.ts'
import type { ApiContext } from './context.ts'

const open = { additionalProperties: true } as const
const List = Type.Array(Type.String())
const PermissionPage = pageSchema(
  Type.Object({ actions: List, notActions: List, dataActions: List, notDataActions: List }),
)

/** How long an answer may be kept: our own removals take effect at once, so those of others shall not wait long. */
const timeToLiveMs = 2_000

const Guids = Type.Array(Type.String({ maxLength: 64 }), { maxItems: limits.groupsPerPrincipal })
const CheckedActionSchema = Type.Object(
  {
    Id: Type.String({ minLength: 1, maxLength: limits.roleActionLength }),
    IsDataAction: Type.Optional(Type.Boolean()),
  },
  open,
)
const CheckAccessSchema = Type.Object(
  {
    Subject: Type.Object(
      {
        Attributes: Type.Object(
          {
            ObjectId: Type.String({ maxLength: 64 }),
            Groups: Type.Optional(Type.Union([Guids, Type.Null()])),
          },
          open,
        ),
      },
      open,
    ),
    Actions: Type.Array(CheckedActionSchema, {
      minItems: 1,
      maxItems: limits.checkAccessActions,
    }),
    Resource: Type.Object({ Id: Type.String({ maxLength: 1024 }) }, open),
  },
  open,
)

/** Adds the routes. */
export function registerAccessQuestionRoutes(api: Api, context: ApiContext): void {
  registerPermissions(api, context)
  registerCheckAccess(api, context)
  registerDenyAssignments(api)
}

/** About the caller himself, so that no right is needed. */
function registerPermissions(api: Api, context: ApiContext): void {
  const config = requires('Microsoft.Authorization/permissions/read', 'anyone')
  atEveryScope('/permissions', (path, params) => {
    api.get(
      path,
      { config, schema: { params, response: { 200: PermissionPage } } },
      async (request) => {
        const principal = principalOf(request)
        const all = { actions: ['*'], notActions: [], dataActions: [], notDataActions: [] }
        const question = { ids: idsOf(principal), now: context.now() }
        const grants = await grantsAt(context.store.db, question, requestScope(request))
        const permissions = grants.flatMap(({ role }) =>
          role.permissions.map((permission) => ({
            actions: [...permission.actions],
            notActions: [...permission.notActions],
            dataActions: [...permission.dataActions],
            notDataActions: [...permission.notDataActions],
          })),
        )
        return { value: principal.administrator ? [all, ...permissions] : permissions }
      },
    )
  })
}

function registerCheckAccess(api: Api, context: ApiContext): void {
  const config = requires('Microsoft.Authorization/checkAccess/read')
  atEveryScope('/checkAccess', (path, params) => {
    api.post(path, { config, schema: { params, body: CheckAccessSchema } }, async (request) => {
      const at = requestScope(request)
      const scope = askedScope(at, request.body)
      const results = await checkAccess(context.store.db, {
        subject: {
          objectId: checkedGuid(
            request.body.Subject.Attributes.ObjectId,
            'Subject.Attributes.ObjectId',
          ),
          groups: (request.body.Subject.Attributes.Groups ?? []).map((id) => id.toLowerCase()),
        },
        actions: request.body.Actions.map((action) => ({
          id: action.Id,
          isDataAction: action.IsDataAction === true,
        })),
        scope,
        now: context.now(),
      })
      return results.map((result) => toDecision(result, scope))
    })
  })
}

/** The resource asked about lies at or below the scope whose right the caller has. @throws SallyportError ERR_ARM_INVALID_REQUEST. */
function askedScope(at: Scope, body: Static<typeof CheckAccessSchema>): Scope {
  const named = body.Resource.Id === '' ? at : checkedScope(body.Resource.Id, 'Resource.Id')
  if (isWithin(scopeKey(named), scopeKey(at))) return named
  // Guard names the cluster also when it asks about a namespace of it.
  if (isWithin(scopeKey(at), scopeKey(named))) return at
  throw new SallyportError(
    'ERR_ARM_INVALID_REQUEST',
    "'Resource.Id' lies outside the scope of the request",
    { target: 'Resource.Id' },
  )
}

function toDecision(result: CheckResult, scope: Scope) {
  const assignment = result.grant?.assignment
  return {
    accessDecision: result.decision,
    actionId: result.id,
    isDataAction: result.isDataAction,
    roleAssignment:
      assignment === undefined
        ? null
        : {
            id: assignment.assignment_id,
            roleDefinitionId: shownRoleId(assignment.role_id, scope),
            principalId: assignment.principal_id,
            principalType: assignment.principal_type,
            scope: assignment.scope,
            condition: null,
          },
    denyAssignment: null,
    timeToLiveInMs: timeToLiveMs,
  }
}

function registerDenyAssignments(api: Api): void {
  const config = requires('Microsoft.Authorization/denyAssignments/read')
  atEveryScope('/denyAssignments', (path, params) => {
    api.get(path, { config, schema: { params } }, () => ({ value: [] }))
  })
  atEveryScope('/denyAssignments/:name', (path, params) => {
    api.get(path, { config, schema: { params: withName(params) } }, noDenyAssignment)
  })
}

function noDenyAssignment(request: FastifyRequest, _reply: FastifyReply): never {
  const { name } = request.params as { name: string }
  throw new SallyportError('ERR_ARM_NOT_FOUND', `The deny assignment '${name}' is not found.`)
}
