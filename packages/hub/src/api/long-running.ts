/**
 * Long-running operations: the addresses clients poll, and what they find there.
 * @module
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import Type from 'typebox'
import { SallyportError } from '@sallyport/protocol'
import { findOperation } from '../registry/operations.ts'
import type { OperationTable } from '../registry/tables.ts'
import { createRolePolicy } from '../authorization/policy.ts'
import { principalOf, requires } from './access.ts'
import type { Api } from './api-instance.ts'
import { apiVersionOf } from './api-version.ts'
import type { ApiContext } from './context.ts'
import { SubscriptionParams, checkedSubscription } from './scope.ts'

const OperationParams = Type.Object({
  ...SubscriptionParams.properties,
  location: Type.String(),
  operationId: Type.String(),
})

const ResultParams = Type.Object({
  ...SubscriptionParams.properties,
  operationId: Type.String(),
})

/** Operation resource (Azure Resource Manager: track asynchronous operations). */
const OperationSchema = Type.Object({
  id: Type.String(),
  name: Type.String(),
  resourceId: Type.String(),
  status: Type.String(),
  startTime: Type.String(),
  endTime: Type.String(),
})

/** The one who may read the resource may read how its change went; asked in `find`, since the path does not name the resource. */
const readStatus = requires('Microsoft.Kubernetes/locations/operationStatuses/read', 'anyone')
const readResult = requires('Microsoft.Resources/subscriptions/read', 'anyone')

/** Points `Azure-AsyncOperation` at the operation: how a PUT of a cluster is followed. */
export function pointToStatus(
  context: ApiContext,
  operation: OperationTable,
  exchange: { request: FastifyRequest; reply: FastifyReply },
): void {
  const path = `${statusBase(context, operation)}/operationStatuses/${operation.operation_id}`
  point(context, { header: 'azure-asyncoperation', path, ...exchange })
}

/** Points `Location` at the result: how a DELETE of a cluster is followed. */
export function pointToResult(
  context: ApiContext,
  operation: OperationTable,
  exchange: { request: FastifyRequest; reply: FastifyReply },
): void {
  const path = `${statusBase(context, operation)}/operationResults/${operation.operation_id}`
  point(context, { header: 'location', path, ...exchange })
}

/** As `pointToResult`, under the provider of resource groups. */
export function pointToGroupResult(
  context: ApiContext,
  operation: OperationTable,
  exchange: { request: FastifyRequest; reply: FastifyReply },
): void {
  const path = `/subscriptions/${operation.subscription_id}/operationresults/${operation.operation_id}`
  point(context, { header: 'location', path, ...exchange })
}

function statusBase(context: ApiContext, operation: OperationTable): string {
  return `/subscriptions/${operation.subscription_id}/providers/Microsoft.Kubernetes/locations/${context.location.name}`
}

function point(
  context: ApiContext,
  to: { header: string; path: string; request: FastifyRequest; reply: FastifyReply },
): void {
  const version = encodeURIComponent(apiVersionOf(to.request))
  to.reply.header(to.header, `${context.publicUrl}${to.path}?api-version=${version}`)
  to.reply.header('retry-after', '1')
}

/** Adds the routes. */
export function registerOperationRoutes(api: Api, context: ApiContext): void {
  const base = '/subscriptions/:subscriptionId/providers/Microsoft.Kubernetes/locations/:location'
  api.get(
    `${base}/operationStatuses/:operationId`,
    { config: readStatus, schema: { params: OperationParams, response: { 200: OperationSchema } } },
    async (request) => {
      const operation = await find(context, request, request.params)
      return {
        id: request.url.split('?')[0] ?? '',
        name: operation.operation_id,
        resourceId: operation.resource_id,
        status: operation.status,
        startTime: new Date(operation.started_at).toISOString(),
        endTime: new Date(operation.ended_at).toISOString(),
      }
    },
  )
  api.get(
    `${base}/operationResults/:operationId`,
    { config: readStatus, schema: { params: OperationParams } },
    async (request, reply) => {
      await find(context, request, request.params)
      return reply.code(204).send()
    },
  )
  api.get(
    '/subscriptions/:subscriptionId/operationresults/:operationId',
    { config: readResult, schema: { params: ResultParams } },
    async (request, reply) => {
      await find(context, request, request.params)
      return reply.code(204).send()
    },
  )
}

async function find(
  context: ApiContext,
  request: FastifyRequest,
  params: { subscriptionId: string; operationId: string },
): Promise<OperationTable> {
  const found = await findOperation(context.store.db, {
    subscriptionId: checkedSubscription(params),
    operationId: params.operationId,
  })
  if (found !== undefined && (await mayRead(context, request, found.resource_id))) return found
  throw new SallyportError('ERR_ARM_NOT_FOUND', 'there is no such operation, or it is long over')
}

function mayRead(
  context: ApiContext,
  request: FastifyRequest,
  resourceId: string,
): Promise<boolean> {
  const policy = createRolePolicy({ db: context.store.db, now: context.now })
  const isCluster = /\/providers\/microsoft\.kubernetes\//i.test(resourceId)
  return policy({
    principal: principalOf(request),
    action: isCluster
      ? 'Microsoft.Kubernetes/connectedClusters/read'
      : 'Microsoft.Resources/subscriptions/resourceGroups/read',
    scope: resourceId,
  })
}
