/**
 * Microsoft.Resources: tenants, subscriptions, locations.
 * @module
 */
import Type from 'typebox'
import { SallyportError, SubscriptionSchema, TenantSchema, pageSchema } from '@sallyport/protocol'
import { findSubscription, listSubscriptions } from '../registry/subscriptions.ts'
import type { SubscriptionTable } from '../registry/tables.ts'
import { requires } from './access.ts'
import type { Api } from './api-instance.ts'
import type { ApiContext } from './context.ts'
import { pageRequest, toPage } from './paging.ts'
import { SubscriptionParams, checkedSubscription } from './scope.ts'
import { visibleRows, visibleTo } from './visible.ts'

const open = { additionalProperties: true } as const

const LocationSchema = Type.Object(
  {
    id: Type.String(),
    subscriptionId: Type.String(),
    name: Type.String(),
    type: Type.String(),
    displayName: Type.String(),
    regionalDisplayName: Type.String(),
    metadata: Type.Object({ regionType: Type.String(), regionCategory: Type.String() }, open),
  },
  open,
)

/** Whoever has a role on something in a subscription sees the subscription, as in Azure. */
const readSubscriptions = requires('Microsoft.Resources/subscriptions/read', 'below')

/**
 * The subscription of a path.
 * @throws SallyportError ERR_ARM_INVALID_REQUEST, ERR_ARM_SUBSCRIPTION_NOT_FOUND.
 */
export async function requireSubscription(
  context: ApiContext,
  params: { subscriptionId: string },
): Promise<SubscriptionTable> {
  const id = checkedSubscription(params)
  const found = await findSubscription(context.store.db, id)
  if (found !== undefined) return found
  throw new SallyportError(
    'ERR_ARM_SUBSCRIPTION_NOT_FOUND',
    `The subscription '${id}' could not be found.`,
  )
}

/** Adds the routes. */
export function registerTenantRoutes(api: Api, context: ApiContext): void {
  api.get(
    '/tenants',
    {
      config: requires('Microsoft.Resources/tenants/read', 'anyone'),
      schema: { response: { 200: pageSchema(TenantSchema) } },
    },
    () => ({ value: [toTenant(context.tenantId)] }),
  )
  api.get(
    '/subscriptions',
    {
      config: requires('Microsoft.Resources/subscriptions/read', 'anyone'),
      schema: { response: { 200: pageSchema(SubscriptionSchema) } },
    },
    async (request) => {
      const asked = pageRequest(request, 1)
      const visible = await visibleTo(context, request, {
        action: 'Microsoft.Resources/subscriptions/read',
        within: {},
      })
      const rows = await visibleRows(asked, {
        fetch: (after, limit) => listSubscriptions(context.store.db, { after: after?.[0], limit }),
        keysOf: (row) => [row.subscription_id],
        isVisible: (row) => visible.below({ subscriptionId: row.subscription_id }),
      })
      return toPage(request, {
        publicUrl: context.publicUrl,
        path: '/subscriptions',
        asked,
        rows,
        keysOf: (row) => [row.subscription_id],
        render: (row) => toSubscription(row, context.tenantId),
      })
    },
  )
  api.get(
    '/subscriptions/:subscriptionId',
    {
      config: readSubscriptions,
      schema: { params: SubscriptionParams, response: { 200: SubscriptionSchema } },
    },
    async (request) =>
      toSubscription(await requireSubscription(context, request.params), context.tenantId),
  )
  api.get(
    '/subscriptions/:subscriptionId/locations',
    {
      config: readSubscriptions,
      schema: { params: SubscriptionParams, response: { 200: pageSchema(LocationSchema) } },
    },
    async (request) => {
      const { subscription_id: id } = await requireSubscription(context, request.params)
      return { value: [toLocation(id, context.location)] }
    },
  )
}

function toTenant(tenantId: string) {
  return {
    id: `/tenants/${tenantId}`,
    tenantId,
    displayName: 'Sallyport',
    tenantCategory: 'Home',
    domains: [],
  }
}

function toSubscription(row: SubscriptionTable, tenantId: string) {
  return {
    id: `/subscriptions/${row.subscription_id}`,
    subscriptionId: row.subscription_id,
    tenantId,
    displayName: row.display_name,
    state: 'Enabled',
    authorizationSource: 'RoleBased',
    managedByTenants: [],
  }
}

function toLocation(subscriptionId: string, location: ApiContext['location']) {
  return {
    id: `/subscriptions/${subscriptionId}/locations/${location.name}`,
    subscriptionId,
    name: location.name,
    type: 'Region',
    displayName: location.displayName,
    regionalDisplayName: location.displayName,
    metadata: { regionType: 'Physical', regionCategory: 'Recommended' },
  }
}
