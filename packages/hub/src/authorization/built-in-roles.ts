/**
 * Built-in roles with their published GUIDs and actions (azure-docs: built-in roles).
 * @module
 */
import {
  adminDataActions,
  clusterAdminDataActions,
  viewerDataActions,
  writerDataActions,
} from './built-in-data-actions.ts'
import { roleAllows, type RoleDefinition } from './roles.ts'

/** Actions that every role for connected clusters has. */
const common = [
  'Microsoft.Authorization/*/read',
  'Microsoft.Insights/alertRules/*',
  'Microsoft.Resources/deployments/write',
  'Microsoft.Resources/subscriptions/operationresults/read',
  'Microsoft.Resources/subscriptions/read',
  'Microsoft.Resources/subscriptions/resourceGroups/read',
  'Microsoft.Support/*',
]

interface Made {
  actions: readonly string[]
  notActions?: readonly string[]
  dataActions?: readonly string[]
}

function builtIn(
  [id, name]: [id: string, name: string],
  description: string,
  made: Made,
): RoleDefinition {
  const { actions, notActions = [], dataActions = [] } = made
  return {
    id,
    name,
    description,
    type: 'BuiltInRole',
    permissions: [{ actions, notActions, dataActions, notDataActions: [] }],
    assignableScopes: ['/'],
  }
}

/** GUID of Owner. */
export const ownerRoleId = '8e3af657-a8ff-443c-a75c-2fe8c4bcb635'

const clusterUser = builtIn(
  ['00493d72-78f6-4148-b6c5-d3ce8e4799dd', 'Azure Arc Enabled Kubernetes Cluster User Role'],
  'List cluster user credentials action.',
  {
    actions: [
      ...common,
      'Microsoft.Kubernetes/connectedClusters/listClusterUserCredentials/action',
      'Microsoft.Kubernetes/connectedClusters/listClusterUserCredential/action',
    ],
  },
)

const reader = builtIn(
  ['acdd72a7-3385-48ef-bd42-f606fba81ae7', 'Reader'],
  'View all resources, but does not allow you to make any changes.',
  { actions: ['*/read'] },
)

const onboarding = builtIn(
  ['34e09817-6cbe-4d01-b1a2-e0eac5743d41', 'Kubernetes Cluster - Azure Arc Onboarding'],
  'Role definition to authorize any user/service to create connectedClusters resource',
  {
    actions: [
      ...common,
      'Microsoft.Kubernetes/connectedClusters/Write',
      'Microsoft.Kubernetes/connectedClusters/read',
    ],
  },
)

const contributor = builtIn(
  ['b24988ac-6180-42a0-ab88-20f7382dd24c', 'Contributor'],
  'Grants full access to manage all resources, but does not allow you to assign roles in Azure RBAC, manage assignments in Azure Blueprints, or share image galleries.',
  {
    actions: ['*'],
    notActions: [
      'Microsoft.Authorization/*/Delete',
      'Microsoft.Authorization/*/Write',
      'Microsoft.Authorization/elevateAccess/Action',
      'Microsoft.Blueprint/blueprintAssignments/write',
      'Microsoft.Blueprint/blueprintAssignments/delete',
      'Microsoft.Compute/galleries/share/action',
      'Microsoft.Purview/consents/write',
      'Microsoft.Purview/consents/delete',
      'Microsoft.Resources/deploymentStacks/manageDenySetting/action',
      'Microsoft.Subscription/cancel/action',
      'Microsoft.Subscription/enable/action',
    ],
  },
)

const roleAdministrator = builtIn(
  ['f58310d9-a9f6-439a-9e8d-f62e7b41a168', 'Role Based Access Control Administrator'],
  'Manage access to Azure resources by assigning roles using Azure RBAC. This role does not allow you to manage access using other ways, such as Azure Policy.',
  {
    actions: [
      'Microsoft.Authorization/roleAssignments/write',
      'Microsoft.Authorization/roleAssignments/delete',
      '*/read',
      'Microsoft.Support/*',
    ],
  },
)

const userAccessAdministrator = builtIn(
  ['18d7d88d-d35e-4fb5-a5c3-7773c20a72d9', 'User Access Administrator'],
  'Lets you manage user access to Azure resources.',
  { actions: ['*/read', 'Microsoft.Authorization/*', 'Microsoft.Support/*'] },
)

const owner = builtIn(
  [ownerRoleId, 'Owner'],
  'Grants full access to manage all resources, including the ability to assign roles in Azure RBAC.',
  { actions: ['*'] },
)

/** Roles whose data actions the agent of a cluster turns into Kubernetes RBAC. */
const dataRoles = [
  builtIn(
    ['63f0a09d-1495-4db4-a681-037d84835eb4', 'Azure Arc Kubernetes Viewer'],
    'Lets you view all resources in cluster/namespace, except secrets.',
    { actions: common, dataActions: viewerDataActions },
  ),
  builtIn(
    ['5b999177-9696-4545-85c7-50de3797e5a1', 'Azure Arc Kubernetes Writer'],
    'Lets you update everything in cluster/namespace, except (cluster)roles and (cluster)role bindings.',
    { actions: common, dataActions: writerDataActions },
  ),
  builtIn(
    ['dffb1e0c-446f-4dde-a09f-99eb5cc68b96', 'Azure Arc Kubernetes Admin'],
    'Lets you manage all resources under cluster/namespace, except update or delete resource quotas and namespaces.',
    { actions: common, dataActions: adminDataActions },
  ),
  builtIn(
    ['8393591c-06b9-48a2-a542-1bd6b377f6a2', 'Azure Arc Kubernetes Cluster Admin'],
    'Lets you manage all resources in the cluster.',
    { actions: common, dataActions: clusterAdminDataActions },
  ),
]

const checkAccessReader = builtIn(
  ['65a14201-8f6c-4c28-bec4-12619c5a9aaa', 'Connected Cluster Managed Identity CheckAccess Reader'],
  'Built-in role that allows a Connected Cluster managed identity to call the checkAccess API',
  { actions: ['Microsoft.Authorization/*/read'] },
)

/** From the least to the most powerful at the hub: what is named to somebody who lacks an action. */
const byPower = [
  clusterUser,
  reader,
  onboarding,
  contributor,
  roleAdministrator,
  userAccessAdministrator,
  owner,
]

/** Every built-in role. */
export const builtInRoles: readonly RoleDefinition[] = [...byPower, ...dataRoles, checkAccessReader]

const byId = new Map(builtInRoles.map((role) => [role.id, role]))

/** The built-in role with this lower-case GUID. */
export function builtInRole(id: string): RoleDefinition | undefined {
  return byId.get(id)
}

/** The least built-in role that allows an action of the hub. */
export function leastRoleFor(action: string): RoleDefinition {
  return byPower.find(({ permissions }) => roleAllows(permissions, action)) ?? owner
}
