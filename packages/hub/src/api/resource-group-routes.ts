/**
 * Microsoft.Resources: resource groups.
 * @module
 */
import Type from 'typebox'
import {
  ResourceGroupPutSchema,
  ResourceGroupSchema,
  TagsSchema,
  pageSchema,
  type ResourceGroup,
  type Tags,
} from '@sallyport/protocol'
import { deleteAssignmentsWithin } from '../authorization/assignment-changes.ts'
import { recordOperation } from '../registry/operations.ts'
import {
  deleteResourceGroup,
  findResourceGroup,
  listResourceGroups,
  putResourceGroup,
  requireResourceGroup,
  tagResourceGroup,
} from '../registry/resource-groups.ts'
import type { ResourceGroupTable } from '../registry/tables.ts'
import { requires } from './access.ts'
import type { Api } from './api-instance.ts'
import type { ApiContext } from './context.ts'
import { pointToGroupResult } from './long-running.ts'
import { pageRequest, toPage } from './paging.ts'
import { ResourceGroupParams, SubscriptionParams, checkedGroup, checkedLocation } from './scope.ts'
import { checkedTags } from './tags.ts'
import { requireSubscription } from './tenant-routes.ts'
import { visibleRows, visibleTo } from './visible.ts'

const listPath = '/subscriptions/:subscriptionId/resourceGroups'
const itemPath = `${listPath}/:resourceGroupName`
const read = requires('Microsoft.Resources/subscriptions/resourceGroups/read')
const write = requires('Microsoft.Resources/subscriptions/resourceGroups/write')

const PatchSchema = Type.Object({ tags: Type.Optional(TagsSchema) }, { additionalProperties: true })

/** Adds the routes. */
export function registerResourceGroupRoutes(api: Api, context: ApiContext): void {
  registerReads(api, context)
  registerWrites(api, context)
  registerDelete(api, context)
}

function registerReads(api: Api, context: ApiContext): void {
  const { db } = context.store
  // Before GET, which would otherwise answer HEAD in its own way.
  api.head(
    itemPath,
    { config: read, schema: { params: ResourceGroupParams } },
    async (request, reply) => {
      await requireSubscription(context, request.params)
      const found = await findResourceGroup(db, checkedGroup(request.params))
      return reply.code(found === undefined ? 404 : 204).send()
    },
  )
  api.get(
    itemPath,
    {
      config: read,
      schema: { params: ResourceGroupParams, response: { 200: ResourceGroupSchema } },
    },
    async (request) => {
      await requireSubscription(context, request.params)
      return toResourceGroup(await requireResourceGroup(db, checkedGroup(request.params)))
    },
  )
  api.get(
    listPath,
    {
      config: requires('Microsoft.Resources/subscriptions/resourceGroups/read', 'below'),
      schema: { params: SubscriptionParams, response: { 200: pageSchema(ResourceGroupSchema) } },
    },
    async (request) => {
      const { subscription_id: subscriptionId } = await requireSubscription(context, request.params)
      const asked = pageRequest(request, 1)
      const visible = await visibleTo(context, request, {
        action: 'Microsoft.Resources/subscriptions/resourceGroups/read',
        within: { subscriptionId },
      })
      const rows = await visibleRows(asked, {
        fetch: (after, limit) =>
          listResourceGroups(db, { subscriptionId, after: after?.[0], limit }),
        keysOf: (row) => [row.group_key],
        isVisible: (row) => visible.below({ subscriptionId, resourceGroup: row.name }),
      })
      return toPage(request, {
        publicUrl: context.publicUrl,
        path: `/subscriptions/${subscriptionId}/resourceGroups`,
        asked,
        rows,
        keysOf: (row) => [row.group_key],
        render: toResourceGroup,
      })
    },
  )
}

function registerWrites(api: Api, context: ApiContext): void {
  api.put(
    itemPath,
    {
      config: write,
      schema: {
        params: ResourceGroupParams,
        body: ResourceGroupPutSchema,
        response: { 200: ResourceGroupSchema, 201: ResourceGroupSchema },
      },
    },
    async (request, reply) => {
      await requireSubscription(context, request.params)
      const { group, created } = await putResourceGroup(context.store, {
        ...checkedGroup(request.params),
        location: checkedLocation(request.body.location),
        tags: checkedTags(request.body.tags ?? {}),
        now: context.now(),
      })
      return reply.code(created ? 201 : 200).send(toResourceGroup(group))
    },
  )
  api.patch(
    itemPath,
    {
      config: write,
      schema: {
        params: ResourceGroupParams,
        body: PatchSchema,
        response: { 200: ResourceGroupSchema },
      },
    },
    async (request) => {
      await requireSubscription(context, request.params)
      const { tags } = request.body
      return toResourceGroup(
        await tagResourceGroup(
          context.store,
          checkedGroup(request.params),
          tags === undefined ? undefined : checkedTags(tags),
        ),
      )
    },
  )
}

function registerDelete(api: Api, context: ApiContext): void {
  api.delete(
    itemPath,
    {
      config: requires('Microsoft.Resources/subscriptions/resourceGroups/delete'),
      schema: { params: ResourceGroupParams },
    },
    async (request, reply) => {
      await requireSubscription(context, request.params)
      const key = checkedGroup(request.params)
      const operation = await context.store.transaction(async (trx) => {
        const group = await requireResourceGroup(trx, key)
        await deleteResourceGroup(trx, key)
        await deleteAssignmentsWithin(trx, idOf(group).toLowerCase())
        return recordOperation(trx, {
          subscriptionId: key.subscriptionId,
          resourceId: idOf(group),
          now: context.now(),
        })
      })
      context.changes.wake()
      pointToGroupResult(context, operation, { request, reply })
      return reply.code(202).send()
    },
  )
}

function idOf(row: ResourceGroupTable): string {
  return `/subscriptions/${row.subscription_id}/resourceGroups/${row.name}`
}

function toResourceGroup(row: ResourceGroupTable): ResourceGroup {
  return {
    id: idOf(row),
    name: row.name,
    type: 'Microsoft.Resources/resourceGroups',
    location: row.location,
    tags: JSON.parse(row.tags) as Tags,
    properties: { provisioningState: 'Succeeded' },
  }
}
