/**
 * Error codes of the hub: sign-in, API, store.
 * @module
 */
import { entry, type ErrorEntry } from './entry.ts'

/** Codes of this area. */
export const hubErrors = {
  ERR_AUTH_REQUIRED: entry(401, 'InvalidAuthenticationToken', {
    exit: 4,
    remedy: 'sign in: sallyport login',
  }),
  ERR_AUTH_EXPIRED: entry(401, 'ExpiredAuthenticationToken', {
    exit: 4,
    remedy: 'sign in again: sallyport login',
  }),
  ERR_AUTH_FAILED: entry(401, 'InvalidAuthenticationToken', {
    exit: 4,
    remedy: 'check name and proof, then sign in again: sallyport login',
  }),
  ERR_FORBIDDEN: entry(403, 'AuthorizationFailed', {
    exit: 5,
    remedy: 'ask an administrator of the hub for a role that allows the named action',
  }),
  ERR_ISSUER_UNREACHABLE: entry(503, 'IssuerUnreachable', {
    exit: 7,
    retryable: true,
    remedy: 'check from the hub that the issuer answers; sign in another way until it does',
  }),
  ERR_ISSUER_REFUSED: entry(403, 'OutsideSignInRefused', {
    exit: 5,
    remedy: 'show the message to an administrator of the hub, or sign in with another account',
  }),
  ERR_ISSUER_CHECK: entry(400, 'IssuerCheckFailed', {
    exit: 2,
    remedy: 'correct the named setting; see: sallyport issuer check',
  }),
  ERR_RATE_LIMITED: entry(429, 'TooManyRequests', {
    exit: 1,
    retryable: true,
    remedy: 'wait for the named time and try again',
  }),

  ERR_ARM_INVALID_REQUEST: entry(400, 'InvalidRequestContent', {
    exit: 2,
    remedy: 'correct the named field',
  }),
  ERR_ARM_API_VERSION: entry(400, 'InvalidApiVersionParameter', {
    exit: 9,
    remedy: 'use one of the api-versions in the message',
  }),
  ERR_ARM_API_VERSION_MISSING: entry(400, 'MissingApiVersionParameter', {
    exit: 9,
    remedy: 'add the api-version query parameter',
  }),
  ERR_ARM_BODY_TOO_LARGE: entry(413, 'RequestEntityTooLarge', {
    exit: 2,
    remedy: 'send a smaller body',
  }),
  ERR_ARM_NOT_FOUND: entry(404, 'ResourceNotFound', {
    exit: 3,
    remedy: 'list what there is: sallyport list',
  }),
  ERR_ARM_GROUP_NOT_FOUND: entry(404, 'ResourceGroupNotFound', {
    exit: 3,
    remedy: 'list the resource groups: sallyport group list',
  }),
  ERR_ARM_SUBSCRIPTION_NOT_FOUND: entry(404, 'SubscriptionNotFound', {
    exit: 3,
    remedy: 'show the current subscription: sallyport account show',
  }),
  ERR_ARM_ROUTE_NOT_FOUND: entry(404, 'NotFound', {
    exit: 9,
    remedy: 'compare the versions of CLI and hub: sallyport version',
  }),
  ERR_ARM_CONFLICT: entry(409, 'Conflict', {
    exit: 8,
    remedy: 'look at the current state of the named resource',
  }),
  ERR_ARM_PRECONDITION: entry(412, 'PreconditionFailed', {
    exit: 8,
    remedy: 'read the resource again and repeat the change',
  }),

  ERR_ROLE_NOT_FOUND: entry(404, 'RoleDefinitionDoesNotExist', {
    exit: 3,
    remedy: 'list the roles: sallyport role definition list',
  }),
  ERR_ROLE_NAME_TAKEN: entry(409, 'RoleDefinitionWithSameNameExists', {
    exit: 8,
    remedy: 'choose another name, or update the role that has it',
  }),
  ERR_ROLE_BUILT_IN: entry(400, 'RoleDefinitionIsBuiltIn', {
    exit: 2,
    remedy: 'make a custom role: sallyport role definition create',
  }),
  ERR_ROLE_IN_USE: entry(400, 'RoleDefinitionHasAssignments', {
    exit: 8,
    remedy:
      'list and delete its assignments first: sallyport role assignment list --all --role ROLE',
  }),
  ERR_ROLE_INEXPRESSIBLE: entry(400, 'InvalidDataActionOrNotDataAction', {
    exit: 2,
    remedy: 'leave the named data action out, or name resources and verbs that Kubernetes has',
  }),
  ERR_ROLE_SCOPE: entry(400, 'RoleAssignmentScopeNotAssignableToRoleDefinition', {
    exit: 2,
    remedy: 'assign the role inside its assignableScopes, or add the scope to them',
  }),
  ERR_ROLE_ASSIGNMENT_NOT_FOUND: entry(404, 'RoleAssignmentNotFound', {
    exit: 3,
    remedy: 'list the assignments: sallyport role assignment list --all',
  }),
  ERR_ROLE_ASSIGNMENT_EXISTS: entry(409, 'RoleAssignmentExists', {
    exit: 8,
    remedy: 'nothing is to be done: the principal has the role there',
  }),
  ERR_ROLE_ASSIGNMENT_UPDATE: entry(400, 'RoleAssignmentUpdateNotPermitted', {
    exit: 2,
    remedy: 'delete the assignment and make another one',
  }),
  ERR_PRINCIPAL_NOT_FOUND: entry(400, 'PrincipalNotFound', {
    exit: 3,
    remedy: 'give the object id of a user, group or service principal of this hub',
  }),
  ERR_PRINCIPAL_TYPE: entry(400, 'UnmatchedPrincipalType', {
    exit: 2,
    remedy: 'leave the principal type out; the hub knows it',
  }),
  ERR_FEATURE_DISABLED: entry(409, 'FeatureDisabled', {
    exit: 8,
    remedy:
      'switch the feature on: sallyport connectedk8s enable-features -n NAME -g GROUP --features cluster-connect',
  }),

  ERR_STORE_FULL: entry(507, 'InsufficientStorage', {
    exit: 1,
    retryable: true,
    remedy: 'free space on the volume of the hub data directory; nothing was written',
  }),
  ERR_STORE_CORRUPT: entry(500, 'StoreCorrupt', {
    exit: 1,
    remedy: 'stop the hub and restore the data directory from a backup',
  }),
  ERR_STORE_SCHEMA_NEWER: entry(500, 'StoreSchemaNewer', {
    exit: 9,
    remedy: 'start the hub version that wrote this data directory, or a newer one',
  }),
  ERR_STORE_LOCKED: entry(503, 'StoreLocked', {
    exit: 8,
    retryable: true,
    remedy: 'stop the other hub that uses this data directory',
  }),
} as const satisfies Record<string, ErrorEntry>
