/**
 * Microsoft.Authorization/roleAssignments, under every scope.
 * @module
 */
import type { FastifyRequest } from 'fastify'
import {
  RoleAssignmentPutSchema,
  RoleAssignmentSchema,
  SallyportError,
  pageSchema,
  type RoleAssignment,
  type RoleAssignmentPut,
} from '@sallyport/protocol'
import { withGroups, type PrincipalType } from '../authorization/assignees.ts'
import {
  deleteAssignment,
  putAssignment,
  type AssignmentInput,
} from '../authorization/assignment-changes.ts'
import { findAssignment, listAssignments } from '../authorization/role-assignments.ts'
import { formatScope, scopeKey, type Scope } from '../authorization/scopes.ts'
import type { RoleAssignmentTable } from '../authorization/tables.ts'
import { principalOf, requires } from './access.ts'
import type { Api } from './api-instance.ts'
import { assignmentFilter } from './authorization-filter.ts'
import {
  atEveryScope,
  authorId,
  checkedGuid,
  existingScope,
  requestName,
  requestScope,
  roleIdOf,
  shownRoleId,
  withName,
} from './authorization-scope.ts'
import type { ApiContext } from './context.ts'
import { pageRequest, toPage } from './paging.ts'

const read = requires('Microsoft.Authorization/roleAssignments/read')
const write = requires('Microsoft.Authorization/roleAssignments/write')
const remove = requires('Microsoft.Authorization/roleAssignments/delete')
const principalTypes: readonly PrincipalType[] = ['User', 'Group', 'ServicePrincipal']

/** Adds the routes. */
export function registerRoleAssignmentRoutes(api: Api, context: ApiContext): void {
  const page = pageSchema(RoleAssignmentSchema)
  atEveryScope('/roleAssignments', (path, params) => {
    api.get(path, { config: read, schema: { params, response: { 200: page } } }, (request) =>
      list(context, request),
    )
  })
  atEveryScope('/roleAssignments/:name', (path, params) => {
    const schema = { params: withName(params), response: { 200: RoleAssignmentSchema } }
    api.get(path, { config: read, schema }, async (request) => {
      const scope = requestScope(request)
      const id = requestName(request)
      const found = await findAssignment(context.store.db, { id, scopeKey: scopeKey(scope) })
      if (found === undefined) throw notFound(id)
      return show(found, scope)
    })
    const putSchema = {
      params: withName(params),
      body: RoleAssignmentPutSchema,
      response: { 200: RoleAssignmentSchema, 201: RoleAssignmentSchema },
    }
    api.put(path, { config: write, schema: putSchema }, async (request, reply) => {
      const scope = requestScope(request)
      const input = await checkedInput(context, request, { scope, body: request.body })
      const { assignment, created } = await context.store.transaction((trx) =>
        putAssignment(trx, input),
      )
      context.changes.wake()
      return reply.code(created ? 201 : 200).send(show(assignment, scope))
    })
    api.delete(
      path,
      { config: remove, schema: { params: withName(params) } },
      async (request, reply) => {
        const scope = requestScope(request)
        const at = { id: requestName(request), scopeKey: scopeKey(scope), now: context.now() }
        const found = await context.store.transaction((trx) => deleteAssignment(trx, at))
        if (found === undefined) return reply.code(204).send()
        context.changes.wake()
        return reply.code(200).send(show(found, scope))
      },
    )
  })
}

async function list(context: ApiContext, request: FastifyRequest) {
  const { db } = context.store
  const scope = requestScope(request)
  const filter = assignmentFilter(request)
  const asked = pageRequest(request, 1, { filters: true })
  const rows = await listAssignments(db, {
    scope,
    atScope: filter.atScope,
    principalIds: await principalsOf(context, filter),
    after: asked.after?.[0],
    limit: asked.size + 1,
  })
  const root = formatScope(scope)
  return toPage(request, {
    publicUrl: context.publicUrl,
    path: `${root === '/' ? '' : root}/providers/Microsoft.Authorization/roleAssignments`,
    asked,
    rows,
    keysOf: (row) => [row.assignment_id],
    render: (row) => show(row, scope),
  })
}

async function principalsOf(
  context: ApiContext,
  filter: { principalId: string | undefined; assignedTo: string | undefined },
): Promise<string[] | undefined> {
  const { principalId, assignedTo } = filter
  if (assignedTo === undefined) return principalId === undefined ? undefined : [principalId]
  const ids = await withGroups(context.store.db, assignedTo)
  return principalId === undefined ? ids : ids.filter((id) => id === principalId)
}

async function checkedInput(
  context: ApiContext,
  request: FastifyRequest,
  given: { scope: Scope; body: RoleAssignmentPut },
): Promise<AssignmentInput> {
  const { properties } = given.body
  if ((properties.condition ?? '') !== '') {
    throw invalid('condition', 'conditions are not evaluated by this hub; leave it out')
  }
  const now = context.now()
  return {
    id: requestName(request),
    scope: await existingScope(context, given.scope),
    roleId: roleIdOf(properties.roleDefinitionId),
    principalId: checkedGuid(properties.principalId, 'principalId'),
    principalType: checkedType(properties.principalType ?? undefined),
    description: properties.description ?? null,
    expiresAt: checkedExpiry(properties.expiresOn ?? undefined, now),
    tenantId: context.tenantId,
    author: authorId(principalOf(request)),
    now,
  }
}

function checkedType(text: string | undefined): PrincipalType | undefined {
  if (text === undefined) return undefined
  const known = principalTypes.find((type) => type.toLowerCase() === text.toLowerCase())
  if (known !== undefined) return known
  throw invalid('principalType', `must be one of ${principalTypes.join(', ')}`)
}

function checkedExpiry(text: string | undefined, now: number): number | null {
  if (text === undefined) return null
  const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/i.test(text)
  const at = isTime ? Date.parse(text) : Number.NaN
  if (Number.isNaN(at)) throw invalid('expiresOn', 'must be a time with a zone, as in RFC 3339')
  if (at <= now) throw invalid('expiresOn', 'lies in the past')
  return at
}

function show(row: RoleAssignmentTable, asked: Scope): RoleAssignment {
  const root = row.scope === '/' ? '' : row.scope
  return {
    id: `${root}/providers/Microsoft.Authorization/roleAssignments/${row.assignment_id}`,
    name: row.assignment_id,
    type: 'Microsoft.Authorization/roleAssignments',
    properties: {
      roleDefinitionId: shownRoleId(row.role_id, asked),
      principalId: row.principal_id,
      principalType: row.principal_type,
      scope: row.scope,
      description: row.description,
      condition: null,
      conditionVersion: null,
      delegatedManagedIdentityResourceId: null,
      expiresOn: row.expires_at === null ? null : new Date(row.expires_at).toISOString(),
      createdOn: new Date(row.created_at).toISOString(),
      updatedOn: new Date(row.modified_at).toISOString(),
      createdBy: row.created_by,
      updatedBy: row.modified_by,
    },
  }
}

function notFound(id: string): SallyportError {
  return new SallyportError(
    'ERR_ROLE_ASSIGNMENT_NOT_FOUND',
    `The role assignment '${id}' is not found.`,
  )
}

function invalid(target: string, rule: string): SallyportError {
  return new SallyportError('ERR_ARM_INVALID_REQUEST', `'${target}' ${rule}`, { target })
}
