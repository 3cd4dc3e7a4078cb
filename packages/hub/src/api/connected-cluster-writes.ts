/**
 * Microsoft.Kubernetes/connectedClusters: made, changed and deleted.
 * @module
 */
import {
  ConnectedClusterPatchSchema,
  ConnectedClusterPutSchema,
  ConnectedClusterSchema,
  SallyportError,
  formatClusterId,
} from '@sallyport/protocol'
import { deleteAssignmentsWithin } from '../authorization/assignment-changes.ts'
import type { Principal } from '../identity/principal.ts'
import {
  deleteCluster,
  patchCluster,
  putCluster,
  type ChangeAuthor,
} from '../registry/cluster-changes.ts'
import { recordOperation } from '../registry/operations.ts'
import { parseOnboardingKey } from '../registry/public-key.ts'
import { principalOf, requires } from './access.ts'
import type { Api } from './api-instance.ts'
import { clusterNotFound, clusterPath, requireCluster, show } from './connected-cluster-routes.ts'
import type { ApiContext } from './context.ts'
import { pointToResult, pointToStatus } from './long-running.ts'
import { ClusterParams, checkedCluster, checkedLocation } from './scope.ts'
import { checkedTags } from './tags.ts'
import { requireSubscription } from './tenant-routes.ts'

const write = requires('Microsoft.Kubernetes/connectedClusters/write')

/** Adds the routes. */
export function registerClusterWrites(api: Api, context: ApiContext): void {
  registerPut(api, context)
  registerPatch(api, context)
  registerDelete(api, context)
}

function registerPut(api: Api, context: ApiContext): void {
  api.put(
    clusterPath,
    {
      config: write,
      schema: {
        params: ClusterParams,
        body: ConnectedClusterPutSchema,
        response: { 200: ConnectedClusterSchema, 201: ConnectedClusterSchema },
      },
    },
    async (request, reply) => {
      await requireSubscription(context, request.params)
      const { body } = request
      const id = checkedCluster(request.params)
      checkedTags(body.tags ?? {})
      const input = {
        id,
        body,
        location: checkedLocation(body.location),
        identityType: identityType(body.identity.type),
        key: parseOnboardingKey(body.properties.agentPublicKeyCertificate),
        author: authorOf(principalOf(request)),
        now: context.now(),
      }
      const { created, operation } = await context.store.transaction(async (trx) => ({
        created: await putCluster(trx, input),
        operation: await recordOperation(trx, {
          subscriptionId: id.subscriptionId,
          resourceId: formatClusterId(id),
          now: input.now,
        }),
      }))
      context.changes.wake()
      pointToStatus(context, operation, { request, reply })
      const record = await requireCluster(context, id)
      return reply.code(created ? 201 : 200).send(show(context, record))
    },
  )
}

function registerPatch(api: Api, context: ApiContext): void {
  api.patch(
    clusterPath,
    {
      config: write,
      schema: {
        params: ClusterParams,
        body: ConnectedClusterPatchSchema,
        response: { 200: ConnectedClusterSchema },
      },
    },
    async (request) => {
      await requireSubscription(context, request.params)
      const { body } = request
      const id = checkedCluster(request.params)
      checkedTags(body.tags ?? {})
      const author = authorOf(principalOf(request))
      const found = await context.store.transaction((trx) =>
        patchCluster(trx, { id, body, author, now: context.now() }),
      )
      if (!found) throw clusterNotFound(id)
      context.changes.wake()
      return show(context, await requireCluster(context, id))
    },
  )
}

/** `force=true` is taken and changes nothing: a delete here never waits for the agent. */
function registerDelete(api: Api, context: ApiContext): void {
  api.delete(
    clusterPath,
    {
      config: requires('Microsoft.Kubernetes/connectedClusters/delete'),
      schema: { params: ClusterParams },
    },
    async (request, reply) => {
      await requireSubscription(context, request.params)
      const id = checkedCluster(request.params)
      const operation = await context.store.transaction(async (trx) => {
        if (!(await deleteCluster(trx, id))) return undefined
        await deleteAssignmentsWithin(trx, formatClusterId(id).toLowerCase())
        return recordOperation(trx, {
          subscriptionId: id.subscriptionId,
          resourceId: formatClusterId(id),
          now: context.now(),
        })
      })
      if (operation === undefined) return reply.code(204).send()
      // Its agent waits for changes: it learns now that it is none any more.
      context.changes.wake()
      pointToResult(context, operation, { request, reply })
      return reply.code(202).send()
    },
  )
}

function authorOf(principal: Principal): ChangeAuthor {
  return principal.kind === 'user'
    ? { name: principal.displayName, type: 'User' }
    : { name: principal.appId ?? principal.objectId, type: 'Application' }
}

function identityType(text: string): 'SystemAssigned' | 'None' {
  if (text.toLowerCase() === 'systemassigned') return 'SystemAssigned'
  if (text.toLowerCase() === 'none') return 'None'
  throw new SallyportError(
    'ERR_ARM_INVALID_REQUEST',
    "'identity.type' must be 'SystemAssigned' or 'None'",
    { target: 'identity.type' },
  )
}
