/**
 * Resource provider metadata: which resource types there are, in which api-versions, and which operations.
 * @module
 */
import Type from 'typebox'
import {
  SallyportError,
  authorizationApiVersions,
  kubernetesApiVersions,
  pageSchema,
} from '@sallyport/protocol'
import { actions } from '../authorization/actions.ts'
import { requires } from './access.ts'
import type { Api } from './api-instance.ts'
import type { ApiContext } from './context.ts'
import { SubscriptionParams } from './scope.ts'
import { requireSubscription } from './tenant-routes.ts'

const open = { additionalProperties: true } as const

const ProviderSchema = Type.Object(
  {
    id: Type.String(),
    namespace: Type.String(),
    registrationState: Type.String(),
    resourceTypes: Type.Array(
      Type.Object(
        {
          resourceType: Type.String(),
          locations: Type.Array(Type.String()),
          apiVersions: Type.Array(Type.String()),
        },
        open,
      ),
    ),
  },
  open,
)

const OperationSchema = Type.Object(
  {
    name: Type.String(),
    display: Type.Object({
      provider: Type.String(),
      resource: Type.String(),
      operation: Type.String(),
      description: Type.String(),
    }),
  },
  open,
)

const ProviderParams = Type.Object({
  ...SubscriptionParams.properties,
  providerNamespace: Type.String(),
})

const readSubscriptions = requires('Microsoft.Resources/subscriptions/read', 'below')

/** Microsoft.Resources takes a range of dates; these are the ones clients ask for. */
const resourcesApiVersions = ['2022-12-01', '2021-04-01', '2020-01-01', '2019-11-01']

interface ResourceType {
  resourceType: string
  apiVersions: readonly string[]
  /** Whether resources of this type lie in a location. */
  located: boolean
}

const kubernetes = kubernetesApiVersions.toReversed()
const authorization = authorizationApiVersions.toReversed()
const providers: Record<string, ResourceType[]> = {
  'Microsoft.Authorization': [
    { resourceType: 'roleAssignments', apiVersions: authorization, located: false },
    { resourceType: 'roleDefinitions', apiVersions: authorization, located: false },
    { resourceType: 'denyAssignments', apiVersions: authorization, located: false },
    { resourceType: 'permissions', apiVersions: authorization, located: false },
    { resourceType: 'checkAccess', apiVersions: authorization, located: false },
    { resourceType: 'providerOperations', apiVersions: authorization, located: false },
  ],
  'Microsoft.Kubernetes': [
    { resourceType: 'connectedClusters', apiVersions: kubernetes, located: true },
    { resourceType: 'locations/operationStatuses', apiVersions: kubernetes, located: true },
    { resourceType: 'operations', apiVersions: kubernetes, located: false },
  ],
  'Microsoft.Resources': [
    { resourceType: 'tenants', apiVersions: resourcesApiVersions, located: false },
    { resourceType: 'subscriptions', apiVersions: resourcesApiVersions, located: false },
    { resourceType: 'resourceGroups', apiVersions: resourcesApiVersions, located: true },
  ],
}

/** Adds the routes. */
export function registerProviderRoutes(api: Api, context: ApiContext): void {
  api.get(
    '/providers/Microsoft.Kubernetes/operations',
    {
      config: requires('Microsoft.Kubernetes/operations/read', 'anyone'),
      schema: { response: { 200: pageSchema(OperationSchema) } },
    },
    () => ({
      value: Object.entries(actions)
        .filter(([name]) => name.startsWith('Microsoft.Kubernetes/'))
        .map(([name, display]) => ({ name, display: { ...display }, isDataAction: false })),
    }),
  )
  api.get(
    '/subscriptions/:subscriptionId/providers',
    {
      config: readSubscriptions,
      schema: { params: SubscriptionParams, response: { 200: pageSchema(ProviderSchema) } },
    },
    async (request) => {
      const { subscription_id: id } = await requireSubscription(context, request.params)
      return {
        value: Object.keys(providers).map((namespace) => toProvider(id, namespace, context)),
      }
    },
  )
  const one = {
    config: readSubscriptions,
    schema: { params: ProviderParams, response: { 200: ProviderSchema } },
  }
  const show = async (params: { subscriptionId: string; providerNamespace: string }) => {
    const { subscription_id: id } = await requireSubscription(context, params)
    return toProvider(id, params.providerNamespace, context)
  }
  const path = '/subscriptions/:subscriptionId/providers/:providerNamespace'
  api.get(path, one, (request) => show(request.params))
  // Every provider is registered from the start; clients register it all the same before they first use it.
  api.post(`${path}/register`, one, (request) => show(request.params))
}

function toProvider(subscriptionId: string, name: string, context: ApiContext) {
  const namespace = Object.keys(providers).find(
    (known) => known.toLowerCase() === name.toLowerCase(),
  )
  if (namespace === undefined) {
    throw new SallyportError('ERR_ARM_NOT_FOUND', 'there is no resource provider of this name', {
      target: 'providerNamespace',
    })
  }
  return {
    id: `/subscriptions/${subscriptionId}/providers/${namespace}`,
    namespace,
    registrationState: 'Registered',
    registrationPolicy: 'RegistrationFree',
    resourceTypes: (providers[namespace] ?? []).map((type) => ({
      resourceType: type.resourceType,
      locations: type.located ? [context.location.displayName] : [],
      apiVersions: [...type.apiVersions],
      capabilities: 'None',
    })),
  }
}
