/**
 * What is said between hub, agent, client and console. Browser-neutral; imports TypeBox only.
 * @module
 */
export { limits, type LimitName } from './limits.ts'
export { version } from './version.ts'
export { errorRegistry, type ErrorCode, type ErrorEntry } from './error-codes.ts'
export {
  SallyportError,
  isSallyportError,
  toArmError,
  toKubernetesStatus,
  type ArmErrorBody,
  type ErrorOptionsSafe,
} from './error.ts'
export { parser, jsonParser, type Parser } from './parse.ts'
export { fold } from './fold.ts'
export { nameProblem } from './name-rules.ts'
export {
  connectedClusterType,
  formatClusterId,
  parseClusterId,
  isGuid,
  isResourceGroupName,
  isClusterName,
  clusterHash,
  relayPath,
  type ClusterId,
} from './arm-id.ts'
export {
  ArmErrorSchema,
  ConnectedClusterSchema,
  ConnectedClusterPutSchema,
  ConnectedClusterPatchSchema,
  ConnectedClusterPropertiesSchema,
  ResourceGroupSchema,
  ResourceGroupPutSchema,
  SubscriptionSchema,
  SystemDataSchema,
  TagsSchema,
  TenantSchema,
  connectivityStates,
  pageSchema,
  type ConnectedCluster,
  type ConnectedClusterPut,
  type ConnectedClusterPatch,
  type ConnectedClusterProperties,
  type ConnectivityStatus,
  type Page,
  type ResourceGroup,
  type ResourceGroupPut,
  type Subscription,
  type SystemData,
  type Tags,
  type Tenant,
} from './arm.ts'
export {
  authorizationApiVersions,
  clientAuthorizationApiVersion,
  kubernetesApiVersions,
  clientKubernetesApiVersion,
  clientResourcesApiVersion,
  isResourcesApiVersion,
} from './api-versions.ts'
export {
  ClusterTokenClaimsSchema,
  CredentialResultsSchema,
  ListCredentialRequestSchema,
  RelayAccessSchema,
  SallyportCredentialSchema,
  authenticationMethods,
  clusterAudience,
  clusterTokenType,
  type AuthenticationMethod,
  type ClusterTokenClaims,
  type CredentialResults,
  type ListCredentialRequest,
  type RelayAccess,
  type SallyportCredential,
} from './credential.ts'
export {
  AgentRelaysSchema,
  EnrolmentClaimsSchema,
  EnrolmentRequestSchema,
  EnrolmentResponseSchema,
  HeartbeatResponseSchema,
  HeartbeatSchema,
  agentApiPaths,
  agentAssertionType,
  enrolmentProofType,
  type AgentRelays,
  type EnrolmentClaims,
  type EnrolmentResponse,
  type Heartbeat,
  type HeartbeatResponse,
} from './agent-api.ts'
export {
  AgentGroupsRequestSchema,
  AgentGroupsSchema,
  FeedClaimsSchema,
  FeedRequestSchema,
  FeedResponseSchema,
  KeyClaimsSchema,
  feedStatementType,
  keyStatementType,
  type AgentGroups,
  type AgentGroupsRequest,
  type FeedClaims,
  type FeedRequest,
  type FeedResponse,
  type KeyClaims,
} from './agent-feed.ts'
export {
  AgentAssignmentSchema,
  AgentAssignmentsSchema,
  AgentRoleSchema,
  type AgentAssignment,
  type AgentAssignments,
  type AgentRole,
} from './agent-assignments.ts'
export {
  builtInActions,
  dataActionPrefix,
  type DataAction,
  type Grant,
} from './data-actions/actions.ts'
export {
  checkDataActions,
  rulesOf,
  type DataPermission,
  type PolicyRule,
} from './data-actions/rules.ts'
export {
  RbacMetadataSchema,
  rbacBindingName,
  rbacClusterMark,
  rbacFieldManager,
  rbacKinds,
  rbacListPath,
  rbacManager,
  rbacMarks,
  rbacNamePrefix,
  rbacObjectPath,
  rbacOwner,
  rbacRoleName,
  type RbacAddress,
  type RbacKind,
  type RbacMetadata,
} from './materialised.ts'
export { notInDiscovery, resourceTable } from './data-actions/resource-table.ts'
export {
  AgentKeysSchema,
  AgentStateSchema,
  EnrolmentFileSchema,
  agentStateFiles,
  type AgentKeys,
  type AgentState,
  type EnrolmentFile,
} from './agent-state.ts'
export {
  AcceptMessageSchema,
  RenewTokenMessageSchema,
  framedSubprotocol,
  hybridConnection,
  hybridConnectionActions,
  hybridConnectionClose,
  rawSubprotocol,
  type AcceptMessage,
  type HybridConnectionAction,
} from './hybrid-connection.ts'
export {
  BindErrorSchema,
  BindRequestSchema,
  BindResponseSchema,
  bindPath,
  linkAlpn,
  requestIdHeader,
  streamAuthority,
  streamIdHeader,
  type BindRequest,
  type BindResponse,
} from './link.ts'
export {
  RoleAssignmentPutSchema,
  RoleAssignmentSchema,
  RoleDefinitionPutSchema,
  RoleDefinitionSchema,
  RolePermissionSchema,
  type RoleAssignment,
  type RoleAssignmentPut,
  type RoleDefinitionPut,
  type RoleDefinitionResource,
} from './authorization.ts'
export {
  clusterFeatures,
  featureSettings,
  isClusterFeature,
  type ClusterFeature,
} from './features.ts'
export { CloudMetadataSchema, type CloudMetadata } from './metadata.ts'
export { cliClientId, cliRedirectPath, federatedTokenAudience } from './sign-in.ts'
export {
  IssuerCheckAnswerSchema,
  IssuerCheckRequestSchema,
  IssuerCheckSchema,
  IssuerListSchema,
  IssuerPutAnswerSchema,
  IssuerPutSchema,
  IssuerSchema,
  IssuerSettingsSchema,
  issuerAliasPattern,
  issuerPaths,
  outsideCallbackPath,
  type Issuer,
  type IssuerCheck,
  type IssuerPut,
  type IssuerSettings,
} from './issuers.ts'
