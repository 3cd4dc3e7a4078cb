/**
 * The closed list of actions the API asks for, named as Azure names them, so that published roles fit later.
 * @module
 */

/** What an action does, in the words of `GET /providers/…/operations`. */
export interface ActionDescription {
  provider: string
  resource: string
  operation: string
  description: string
}

const resources = 'Microsoft Resources'
const kubernetes = 'Microsoft Kubernetes'
const sallyport = 'Sallyport'

/** Every action with its description. */
export const actions = {
  'Microsoft.Resources/tenants/read': {
    provider: resources,
    resource: 'Tenant',
    operation: 'List tenants',
    description: 'Lists the tenants of this hub.',
  },
  'Microsoft.Resources/subscriptions/read': {
    provider: resources,
    resource: 'Subscription',
    operation: 'Read subscriptions',
    description: 'Reads subscriptions, their locations, providers and operations.',
  },
  'Microsoft.Resources/subscriptions/resourceGroups/read': {
    provider: resources,
    resource: 'Resource group',
    operation: 'Read resource groups',
    description: 'Gets or lists resource groups.',
  },
  'Microsoft.Resources/subscriptions/resourceGroups/write': {
    provider: resources,
    resource: 'Resource group',
    operation: 'Write resource groups',
    description: 'Creates or updates a resource group.',
  },
  'Microsoft.Resources/subscriptions/resourceGroups/delete': {
    provider: resources,
    resource: 'Resource group',
    operation: 'Delete resource groups',
    description: 'Deletes a resource group and everything in it.',
  },
  'Microsoft.Kubernetes/operations/read': {
    provider: kubernetes,
    resource: 'Operation',
    operation: 'Read operations',
    description: 'Lists the operations of this provider.',
  },
  'Microsoft.Kubernetes/locations/operationStatuses/read': {
    provider: kubernetes,
    resource: 'Operation status',
    operation: 'Read operation statuses',
    description: 'Reads the status of a long-running operation.',
  },
  'Microsoft.Kubernetes/connectedClusters/read': {
    provider: kubernetes,
    resource: 'Connected cluster',
    operation: 'Read connected clusters',
    description: 'Gets or lists connected clusters.',
  },
  'Microsoft.Kubernetes/connectedClusters/write': {
    provider: kubernetes,
    resource: 'Connected cluster',
    operation: 'Write connected clusters',
    description: 'Creates or updates a connected cluster.',
  },
  'Microsoft.Kubernetes/connectedClusters/delete': {
    provider: kubernetes,
    resource: 'Connected cluster',
    operation: 'Delete connected clusters',
    description: 'Deletes a connected cluster.',
  },
  'Microsoft.Kubernetes/connectedClusters/listClusterUserCredential/action': {
    provider: kubernetes,
    resource: 'Connected cluster',
    operation: 'List cluster user credential',
    description: 'Gets what is needed to reach the cluster as its user.',
  },
  'Sallyport/issuers/read': {
    provider: sallyport,
    resource: 'Outside issuer',
    operation: 'Read outside issuers',
    description: 'Gets or lists outside issuers.',
  },
  'Sallyport/issuers/write': {
    provider: sallyport,
    resource: 'Outside issuer',
    operation: 'Write outside issuers',
    description: 'Checks, creates or updates an outside issuer: decides who may sign in.',
  },
  'Sallyport/issuers/delete': {
    provider: sallyport,
    resource: 'Outside issuer',
    operation: 'Delete outside issuers',
    description: 'Deletes an outside issuer and ends the sign-ins made through it.',
  },
} as const satisfies Record<string, ActionDescription>

/** Name of one action. */
export type Action = keyof typeof actions
