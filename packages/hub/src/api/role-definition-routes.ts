/**
 * Microsoft.Authorization/roleDefinitions, under every scope.
 * @module
 */
import type { FastifyRequest } from 'fastify'
import {
  RoleDefinitionPutSchema,
  RoleDefinitionSchema,
  SallyportError,
  limits,
  pageSchema,
  type RoleDefinitionPut,
  type RoleDefinitionResource,
} from '@sallyport/protocol'
import { asGrants } from '../authorization/assignment-changes.ts'
import type { AccessPolicy } from '../authorization/authorize.ts'
import type { Grant } from '../authorization/granted.ts'
import { cutOff } from '../authorization/loss-of-access.ts'
import { createRolePolicy } from '../authorization/policy.ts'
import { authorizeScopes, checkPermissions } from '../authorization/role-changes.ts'
import {
  allRoles,
  deleteRole,
  findRole,
  isAssignableAt,
  putRole,
  requireRole,
  type RoleInput,
} from '../authorization/role-definitions.ts'
import type { RoleDefinition } from '../authorization/roles.ts'
import {
  checkedScope,
  formatScope,
  isWithin,
  scopeKey,
  type Scope,
} from '../authorization/scopes.ts'
import { principalOf, requires } from './access.ts'
import type { Api } from './api-instance.ts'
import { roleFilter, type RoleFilter } from './authorization-filter.ts'
import {
  atEveryScope,
  authorId,
  existingScope,
  requestName,
  requestScope,
  shownRoleId,
  withName,
} from './authorization-scope.ts'
import type { ApiContext } from './context.ts'
import { dataActionProblems } from './data-action-check.ts'

/** Roles are the same for everybody; what a custom one is named tells no secret. */
const read = requires('Microsoft.Authorization/roleDefinitions/read', 'below')
const write = requires('Microsoft.Authorization/roleDefinitions/write')
const remove = requires('Microsoft.Authorization/roleDefinitions/delete')

/** Adds the routes. */
export function registerRoleDefinitionRoutes(api: Api, context: ApiContext): void {
  const { store } = context
  const policy = createRolePolicy({ db: store.db, now: context.now })
  const page = pageSchema(RoleDefinitionSchema)
  atEveryScope('/roleDefinitions', (path, params) => {
    api.get(
      path,
      { config: read, schema: { params, response: { 200: page } } },
      async (request) => {
        const scope = requestScope(request)
        const roles = (await allRoles(store.db)).filter(selected(roleFilter(request), scope))
        return { value: roles.map((role) => show(role, scope)) }
      },
    )
  })
  atEveryScope('/roleDefinitions/:name', (path, params) => {
    const schema = { params: withName(params), response: { 200: RoleDefinitionSchema } }
    api.get(path, { config: read, schema }, async (request) =>
      show(await requireRole(store.db, requestName(request)), requestScope(request)),
    )
    const putSchema = {
      params: withName(params),
      body: RoleDefinitionPutSchema,
      response: { 200: RoleDefinitionSchema, 201: RoleDefinitionSchema },
    }
    api.put(path, { config: write, schema: putSchema }, async (request, reply) => {
      const { role, created } = await put(context, policy, { request, body: request.body })
      return reply.code(created ? 201 : 200).send(show(role, requestScope(request)))
    })
    api.delete(
      path,
      { config: remove, schema: { params: withName(params) } },
      async (request, reply) => {
        const id = requestName(request)
        const old = await findRole(store.db, id)
        await authorizeScopes(
          policy,
          {
            principal: principalOf(request),
            action: 'Microsoft.Authorization/roleDefinitions/delete',
          },
          old?.changes === undefined ? [] : old.assignableScopes,
        )
        const found = await store.transaction((trx) => deleteRole(trx, id))
        if (found === undefined) return reply.code(204).send()
        context.changes.wake()
        return reply.code(200).send(show(found, requestScope(request)))
      },
    )
  })
}

/** The rights are looked at again inside the transaction: somebody else may have widened the role in between. */
async function put(
  context: ApiContext,
  policy: AccessPolicy,
  { request, body }: { request: FastifyRequest; body: RoleDefinitionPut },
): Promise<{ role: RoleDefinition; created: boolean }> {
  const input = await checkedInput(context, request, body)
  checkPermissions(input.permissions, dataActionProblems)
  const question = {
    principal: principalOf(request),
    action: 'Microsoft.Authorization/roleDefinitions/write',
  } as const
  await authorizeScopes(policy, question, input.assignableScopes)
  const result = await context.store.transaction(async (trx) => {
    const old = await findRole(trx, input.id)
    await authorizeScopes(
      createRolePolicy({ db: trx, now: context.now }),
      question,
      old?.changes === undefined ? [] : old.assignableScopes,
    )
    if (old === undefined) checkCount(await allRoles(trx))
    const held: Grant[] = old === undefined ? [] : await grantsOf(trx, old)
    const made = await putRole(trx, input)
    await cutOff(trx, held, { reason: 'role definition changed', now: input.now })
    return made
  })
  context.changes.wake()
  return result
}

async function grantsOf(trx: Parameters<typeof cutOff>[0], role: RoleDefinition): Promise<Grant[]> {
  const rows = await trx
    .selectFrom('role_assignments')
    .selectAll()
    .where('role_id', '=', role.id)
    .execute()
  return asGrants(trx, rows)
}

function checkCount(roles: readonly RoleDefinition[]): void {
  if (roles.length < limits.customRoles) return
  throw new SallyportError('ERR_ARM_CONFLICT', 'there are as many roles as this hub keeps')
}

async function checkedInput(
  context: ApiContext,
  request: FastifyRequest,
  body: RoleDefinitionPut,
): Promise<RoleInput> {
  const { properties } = body
  if ((properties.type ?? 'CustomRole').toLowerCase() !== 'customrole') {
    throw new SallyportError('ERR_ARM_INVALID_REQUEST', "'type' must be 'CustomRole'", {
      target: 'type',
    })
  }
  const name = properties.roleName.trim()
  if (name === '' || /\p{C}/u.test(name)) {
    throw new SallyportError(
      'ERR_ARM_INVALID_REQUEST',
      "'roleName' must have a visible character and none that is invisible",
      { target: 'roleName' },
    )
  }
  const scopes: string[] = []
  for (const text of properties.assignableScopes) {
    const scope = await existingScope(context, checkedScope(text, 'assignableScopes'))
    if (!scopes.includes(scope)) scopes.push(scope)
  }
  return {
    id: requestName(request),
    name,
    description: properties.description ?? '',
    permissions: properties.permissions.map((permission) => ({
      actions: permission.actions ?? [],
      notActions: permission.notActions ?? [],
      dataActions: permission.dataActions ?? [],
      notDataActions: permission.notDataActions ?? [],
    })),
    assignableScopes: scopes,
    author: authorId(principalOf(request)),
    now: context.now(),
  }
}

/** Roles that can be assigned at a scope, with `atScopeAndBelow()` also those that can be below it. */
function selected(filter: RoleFilter, scope: Scope): (role: RoleDefinition) => boolean {
  const key = scopeKey(scope)
  return (role) => {
    if (filter.name !== undefined && role.name.toLowerCase() !== filter.name) return false
    if (filter.type !== undefined && role.type.toLowerCase() !== filter.type) return false
    if (isAssignableAt(role, key)) return true
    return filter.below && role.assignableScopes.some((at) => isWithin(at.toLowerCase(), key))
  }
}

function show(role: RoleDefinition, asked: Scope): RoleDefinitionResource {
  const { changes } = role
  return {
    id: shownRoleId(role.id, asked),
    name: role.id,
    type: 'Microsoft.Authorization/roleDefinitions',
    properties: {
      roleName: role.name,
      type: role.type,
      description: role.description,
      assignableScopes: role.assignableScopes.map((scope) => formatScope(checkedScope(scope))),
      permissions: role.permissions.map((permission) => ({
        actions: [...permission.actions],
        notActions: [...permission.notActions],
        dataActions: [...permission.dataActions],
        notDataActions: [...permission.notDataActions],
      })),
      ...(changes === undefined
        ? {}
        : {
            createdOn: new Date(changes.createdAt).toISOString(),
            updatedOn: new Date(changes.modifiedAt).toISOString(),
            createdBy: changes.createdBy,
            updatedBy: changes.modifiedBy,
          }),
    },
  }
}
