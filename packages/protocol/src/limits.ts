/**
 * Every fixed limit of the system, once, by name; `docs/protocol.md` explains the wire ones.
 * @module
 */

const KiB = 1024
const MiB = 1024 * KiB
const second = 1000
const minute = 60 * second
const day = 24 * 60 * minute

/** Named limits. Units are in the names: `…Bytes`, `…Ms`; a bare name is a count. */
export const limits = {
  // Hub and relay, plain HTTP (security: slow-loris, header floods).
  httpHeadersTimeoutMs: 10 * second,
  httpRequestTimeoutMs: 30 * second,
  httpConnectionsCheckingIntervalMs: 2 * second,
  httpKeepAliveTimeoutMs: 10 * second,
  httpMaxHeaderBytes: 16 * KiB,
  httpMaxHeaders: 200,
  httpMaxBodyBytes: 256 * KiB,
  tlsHandshakeTimeoutMs: 10 * second,
  gracefulStopMs: 10 * second,

  // Certificates the hub mints for itself (CA/Browser Forum baseline requirements: at most 398 days).
  authorityTtlMs: 3650 * day,
  serverCertificateTtlMs: 397 * day,
  serverCertificateRenewBeforeMs: 30 * day,
  serverCertificateCheckIntervalMs: 12 * 60 * minute,
  certificateBackdateMs: 5 * minute,

  // Relay (Azure Relay Hybrid Connections: quotas and timings of the published protocol).
  relayListenersPerEntity: 25,
  relayEntities: 10_000,
  relayRendezvous: 5_000,
  relayRendezvousAddressTtlMs: 30 * second,
  relayControlMessageBytes: 64 * KiB,
  relayTokenBytes: 4 * KiB,
  relayPathBytes: 2 * KiB,
  relayPingIntervalMs: 15 * second,
  relayPingTimeoutMs: 40 * second,
  relaySpliceHighWaterMarkBytes: 256 * KiB,
  relaySpliceBufferBytes: 1 * MiB,
  relayTearDownMs: 1 * second,
  relayQuietMs: 1 * second,
  relayCloseHandshakeMs: 10 * second,
  relayTicketTtlMs: 2 * minute,
  relayListenTokenTtlMs: 60 * minute,

  // Dialling and reconnecting.
  dialTimeoutMs: 10 * second,
  rendezvousTimeoutMs: 15 * second,
  reconnectMinMs: 500,
  reconnectMaxMs: 30 * second,
  reconnectRetryAfterMaxMs: 5 * minute,
  relayRenewTokenBeforeMs: 2 * minute,
  rendezvousAccepts: 256,

  // Link: one TLS 1.3 connection and one HTTP/2 session.
  linkHandshakeTimeoutMs: 10 * second,
  linkStreamWindowBytes: 8 * MiB,
  linkStreamWindowMinBytes: 64 * KiB,
  linkSessionWindowBytes: 32 * MiB,
  linkBufferBytes: 64 * MiB,
  linkMaxFrameBytes: 64 * KiB,
  linkPingActiveMs: 2 * second,
  linkPingIdleMs: 15 * second,
  linkPingTimeoutMs: 3 * second,
  linkStreams: 1_000,
  linkSpareStreams: 8,
  linkSessionMemoryBytes: 1024 * MiB,
  linkOutstandingPings: 64,
  linkWebSocketMessageBytes: 1 * MiB,

  // Bind and session.
  bindTimeoutMs: 5 * second,
  bindBodyBytes: 64 * KiB,
  clusterTokenTtlMs: 5 * minute,
  clusterTokenMaxTtlMs: 10 * minute,
  clusterTokenSkewMs: 30 * second,
  clusterTokenBytes: 16 * KiB,
  clusterTokenRenewBeforeMs: 90 * second,
  sessionGraceAfterExpiryMs: 30 * second,
  sessionsPerAgent: 500,
  linksPerAgent: 1_000,

  // Agent: HTTP/1.1 inside a stream.
  agentMaxHeaderBytes: 64 * KiB,
  agentMaxHeaders: 200,
  agentMaxTargetBytes: 8 * KiB,
  agentHeadersTimeoutMs: 30 * second,
  agentKeepAliveTimeoutMs: 10 * minute,
  upstreamConnectTimeoutMs: 10 * second,
  upstreamHeadersTimeoutMs: 5 * minute,
  upstreamUpgradeTimeoutMs: 30 * second,
  upstreamConnectionsPerSession: 1_000,

  // Guard (security catalogue X020–X060).
  guardNameBytes: 256,
  // Up to both all groups are sent; above either, those that a binding of the cluster names.
  guardGroups: 500,
  guardGroupsBytes: 48 * KiB,
  boundGroups: 200_000,
  bindingsPerPage: 500,
  bindingsStaleMs: 60 * second,
  watchSilenceMs: 90 * second,
  groupsTimeoutMs: 4 * second,
  groupsAnswerBytes: 8 * 1024 * KiB,

  // Role assignments as objects of Kubernetes RBAC.
  dataActionLength: 512,
  assignmentsBytes: 16 * MiB,
  materialiseConcurrency: 16,
  materialisePage: 500,
  materialiseObjects: 100_000,
  materialiseResyncMs: 10 * minute,
  materialiseTroubledResyncMs: 30 * second,
  materialiseSettleMs: 100,
  materialiseWatchMs: 5 * minute,
  materialiseRetryMaxMs: 30 * second,

  // Directory and the groups of a principal.
  groupsInToken: 200,
  groupsPerPrincipal: 20_000,
  userPrincipalNameLength: 256,
  displayNameLength: 256,
  passwordMinLength: 12,
  passwordMaxLength: 256,
  passwordHashMemoryBytes: 19 * MiB,
  passwordHashPasses: 2,
  passwordHashesAtOnce: 2,
  passwordHashesWaiting: 200,
  passwordChangesPerMinute: 10,
  secretsPerServicePrincipal: 10,
  certificatesPerServicePrincipal: 20,
  federatedCredentialsPerServicePrincipal: 20,
  principalsRevokedOneByOne: 500,
  graphPageSize: 100,
  graphPageSizeMax: 999,
  graphFilterLength: 4_096,
  graphFilterTerms: 32,
  graphFilterDepth: 8,
  graphIdsPerRequest: 1_000,
  impersonatedGroupsBytes: 768 * KiB,

  // Outside issuers (security: T-JWT-8): their documents, and how long their keys are used.
  issuerDocumentBytes: 64 * KiB,
  issuerFetchTimeoutMs: 3 * second,
  issuerFetchIntervalMs: 30 * second,
  issuerKeysFreshMs: 10 * minute,
  issuerKeysStaleMs: day,
  issuerKeys: 100,
  issuersTracked: 200,
  outsideIssuers: 64,
  outsideIdTokenBytes: 48 * KiB,
  outsideTokenSkewMs: minute,
  outsideSignInTtlMs: 10 * minute,
  outsideSignInsPending: 10_000,
  graphAnswerBytes: 1 * MiB,

  // Revocation: the feed from hub to agents, and the lease it carries.
  revocationTtlMs: 60 * minute,
  revocationsPerAnswer: 1_000,
  feedHoldMs: 20 * second,
  feedWaiters: 20_000,
  feedLeaseMs: 60 * second,
  feedStatementTtlMs: 60 * second,
  feedPauseMs: 200,
  revocationsKept: 20_000,
  revocationCatchUpMs: 2 * second,
  rideOutMaxMs: 24 * 60 * minute,
  keyStatements: 64,
  clusterTokenKeyTtlMs: 30 * day,
  clusterTokenKeyCheckMs: 15 * second,

  // Agent and hub.
  agentHeartbeatMs: 15 * second,
  agentPresenceLeaseMs: 45 * second,
  agentAssertionTtlMs: 60 * second,
  onboardingKeyTtlMs: 24 * 60 * minute,
  agentReportBytes: 16 * KiB,

  // Hub API.
  armPageSize: 100,
  armPageSizeMax: 1_000,
  armNameLength: 90,
  armTags: 50,
  armTagNameLength: 512,
  armTagValueLength: 256,
  accessTokenTtlMs: 60 * minute,
  tokenRequestsPerMinutePerAddress: 120,
  tokenRequestsPerMinutePerClient: 300,
  tokenRateKeys: 10_000,
  tokenRequestBodyBytes: 32 * KiB,
  clientAssertionBytes: 16 * KiB,
  clientAssertionTtlMs: 60 * minute,
  clientAssertionSkewMs: 30 * second,

  // Sign-in of people.
  authorizationCodeTtlMs: minute,
  deviceCodeTtlMs: 5 * minute,
  deviceCodePollMs: 5 * second,
  signInPageTtlMs: 15 * minute,
  browserSessionTtlMs: 12 * 60 * minute,
  refreshTokenTtlMs: 30 * day,
  signInTtlMs: 90 * day,
  signInsPerMinutePerAddress: 60,
  signInsPerMinutePerAccount: 60,
  signInsPerMinutePerAccountAndAddress: 10,
  signInPagesPerMinutePerAddress: 300,
  signInBodyBytes: 8 * KiB,
  openIdSweepIntervalMs: minute,
  openIdSweepRows: 1_000,

  // Signing keys of the hub.
  signingKeyMaxAgeMs: 30 * day,
  signingKeyCheckIntervalMs: 60 * minute,
  signingKeyOverlapMs: 70 * minute,
  signingKeysKept: 16,

  apiCallTimeoutMs: 30 * second,
  armReadsBurst: 12_000,
  armReadsPerSecond: 200,
  armWritesBurst: 6_000,
  armWritesPerSecond: 50,
  armCallersTracked: 10_000,
  armJsonDepth: 32,
  armJsonNodes: 10_000,
  operationTtlMs: 24 * 60 * minute,
  operationsKept: 10_000,
  sessionRecordTtlMs: 24 * 60 * minute,
  sessionRecordsPerPrincipalAndCluster: 100,
  enrolmentProofTtlMs: 10 * minute,
  agentAssertionsPerAgent: 500,
  presenceRowsPerCluster: 25,

  // Roles and assignments.
  roleNameLength: 512,
  roleDescriptionLength: 2_048,
  rolePermissions: 16,
  roleActions: 1_000,
  roleActionLength: 512,
  roleAssignableScopes: 100,
  customRoles: 5_000,
  assignmentsPerScope: 10_000,
  revocationsForOneChange: 500,
  expiriesAtOnce: 500,
  expiryCheckMs: 1 * second,
  checkAccessActions: 200,

  // Store.
  storeWaitingWrites: 1_000,
  storeWaitMs: 10 * second,
  storeBusyMs: 5 * second,
  storeLogBytes: 64 * MiB,
  storePreparedStatements: 256,

  // Client side.
  browserSignInMs: 2 * minute,
  deviceSignInMs: 15 * minute,
  localConnections: 1_000,
  proxyReadyTimeoutMs: 20 * second,
  connectTimeoutMs: 2 * minute,
  fileLockTimeoutMs: 5 * second,
  kubeconfigBytes: 10 * MiB,
} as const

/** Name of one limit. */
export type LimitName = keyof typeof limits
