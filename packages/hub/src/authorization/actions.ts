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
const authorization = 'Microsoft Authorization'

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
  'Microsoft.Authorization/roleAssignments/read': {
    provider: authorization,
    resource: 'Role assignment',
    operation: 'Get role assignments',
    description: 'Gets or lists role assignments.',
  },
  'Microsoft.Authorization/roleAssignments/write': {
    provider: authorization,
    resource: 'Role assignment',
    operation: 'Create role assignment',
    description: 'Creates or updates a role assignment at the scope.',
  },
  'Microsoft.Authorization/roleAssignments/delete': {
    provider: authorization,
    resource: 'Role assignment',
    operation: 'Delete role assignment',
    description: 'Deletes a role assignment at the scope.',
  },
  'Microsoft.Authorization/roleDefinitions/read': {
    provider: authorization,
    resource: 'Role definition',
    operation: 'Get role definitions',
    description: 'Gets or lists role definitions.',
  },
  'Microsoft.Authorization/roleDefinitions/write': {
    provider: authorization,
    resource: 'Role definition',
    operation: 'Create or update custom role definition',
    description: 'Creates or updates a custom role.',
  },
  'Microsoft.Authorization/roleDefinitions/delete': {
    provider: authorization,
    resource: 'Role definition',
    operation: 'Delete custom role definition',
    description: 'Deletes a custom role.',
  },
  'Microsoft.Authorization/denyAssignments/read': {
    provider: authorization,
    resource: 'Deny assignment',
    operation: 'Get deny assignments',
    description: 'Gets or lists deny assignments; there are none on this hub.',
  },
  'Microsoft.Authorization/permissions/read': {
    provider: authorization,
    resource: 'Permission',
    operation: 'List permissions',
    description: 'Lists the permissions of the caller at the scope.',
  },
  'Microsoft.Authorization/checkAccess/read': {
    provider: authorization,
    resource: 'Access check',
    operation: 'Check access',
    description: 'Tells whether a principal may do something at the scope.',
  },
  'Microsoft.Authorization/providerOperations/read': {
    provider: authorization,
    resource: 'Provider operation',
    operation: 'Get operations',
    description: 'Lists actions and data actions that roles may name.',
  },
  'Sallyport/sessions/read': {
    provider: 'Sallyport',
    resource: 'Session',
    operation: 'Read sessions',
    description: 'Gets or lists sessions of others; one’s own need no role.',
  },
  'Sallyport/sessions/delete': {
    provider: 'Sallyport',
    resource: 'Session',
    operation: 'End sessions',
    description: 'Ends sessions of others; one’s own need no role.',
  },
  'Sallyport/signingKeys/rotate/action': {
    provider: 'Sallyport',
    resource: 'Signing key',
    operation: 'Rotate signing keys',
    description: 'Replaces a signing key before its time, or retires it at once.',
  },
  'Sallyport/directory/users/read': {
    provider: sallyport,
    resource: 'User',
    operation: 'Read users',
    description: 'Gets or lists users.',
  },
  'Sallyport/directory/users/write': {
    provider: sallyport,
    resource: 'User',
    operation: 'Write users',
    description: 'Creates or updates a user, sets passwords, ends sign-ins.',
  },
  'Sallyport/directory/users/delete': {
    provider: sallyport,
    resource: 'User',
    operation: 'Delete users',
    description: 'Deletes a user and ends its sign-ins.',
  },
  'Sallyport/directory/groups/read': {
    provider: sallyport,
    resource: 'Group',
    operation: 'Read groups',
    description: 'Gets or lists groups, members and memberships.',
  },
  'Sallyport/directory/groups/write': {
    provider: sallyport,
    resource: 'Group',
    operation: 'Write groups',
    description: 'Creates or updates a group.',
  },
  'Sallyport/directory/groups/delete': {
    provider: sallyport,
    resource: 'Group',
    operation: 'Delete groups',
    description: 'Deletes a group and what it gave its members.',
  },
  'Sallyport/directory/groups/members/write': {
    provider: sallyport,
    resource: 'Group',
    operation: 'Write group members',
    description: 'Adds or removes members of a group: decides who has its roles.',
  },
  'Sallyport/directory/servicePrincipals/read': {
    provider: sallyport,
    resource: 'Service principal',
    operation: 'Read service principals',
    description: 'Gets or lists service principals, never their secrets.',
  },
  'Sallyport/directory/servicePrincipals/write': {
    provider: sallyport,
    resource: 'Service principal',
    operation: 'Write service principals',
    description: 'Creates or updates a service principal.',
  },
  'Sallyport/directory/servicePrincipals/delete': {
    provider: sallyport,
    resource: 'Service principal',
    operation: 'Delete service principals',
    description: 'Deletes a service principal and ends its sign-ins.',
  },
  'Sallyport/directory/servicePrincipals/credentials/write': {
    provider: sallyport,
    resource: 'Service principal',
    operation: 'Write credentials',
    description:
      'Adds or removes secrets, certificates and federated credentials: decides who can sign in as it.',
  },
} as const satisfies Record<string, ActionDescription>

/** Name of one action. */
export type Action = keyof typeof actions
