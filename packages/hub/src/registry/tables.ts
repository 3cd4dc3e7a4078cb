/**
 * Tables of the registry. Times are Unix milliseconds, booleans 0 or 1; `…_key` columns are lower-cased names, since ARM ids are
 * compared without case but returned in the case of creation.
 * @module
 */
import type { Generated } from 'kysely'

/** A subscription: the top of every ARM id. */
export interface SubscriptionTable {
  /** Lower-case GUID. */
  subscription_id: string
  display_name: string
  created_at: number
}

/** A resource group. */
export interface ResourceGroupTable {
  subscription_id: string
  group_key: string
  name: string
  location: string
  /** JSON object. */
  tags: string
  created_at: number
}

/** A connected cluster: what users wrote, and what its agent reported last. */
export interface ClusterTable {
  /** Lower-cased ARM id. */
  cluster_key: string
  /** SHA-256 of `cluster_key`, hex: last part of the relay path. */
  hash: string
  subscription_id: string
  group_key: string
  name_key: string
  /** ARM id in the case of creation. */
  resource_id: string
  name: string
  location: string
  /** JSON object. */
  tags: string
  kind: string | null
  identity_type: string
  /** GUID, null when the identity type is None. */
  principal_id: string | null
  /** JSON object: what users set, unknown members included, without what the server sets. */
  properties: string
  created_by: string
  created_by_type: string
  created_at: number
  modified_by: string
  modified_by_type: string
  modified_at: number
  kubernetes_version: string | null
  agent_version: string | null
  total_node_count: number | null
  total_core_count: number | null
  reported_distribution: string | null
  reported_infrastructure: string | null
  /** JSON: list of the features switched off, see `features.ts`. */
  disabled_features: string
}

/** The one chance to enrol an agent: opened by a PUT with a new onboarding key, used once. */
export interface EnrolmentTable {
  cluster_key: string
  /** Base64url SHA-256 of the onboarding key's SubjectPublicKeyInfo. */
  key_sha256: string
  /** Base64 of the SubjectPublicKeyInfo (DER). */
  public_key: string
  expires_at: number
  redeemed_at: number | null
  /** RFC 7638 thumbprint of the assertion key it was redeemed with. */
  agent_key_sha256: string | null
  link_key_sha256: string | null
}

/** The enrolled agent of a cluster. Only public keys: private ones never leave the agent. */
export interface AgentTable {
  agent_id: string
  cluster_key: string
  /** JWK of the key that signs assertions. */
  agent_key: string
  /** Base64url SHA-256 of the SubjectPublicKeyInfo of the link key. */
  link_key_sha256: string
  kubernetes_uid: string
  enrolled_at: number
}

/** Presence of one agent process: a lease that each heartbeat renews. */
export interface PresenceTable {
  cluster_key: string
  instance: string
  /** Hub node that got the last heartbeat. */
  node: string
  /** Counts the processes of a cluster: a later one has the higher number. */
  epoch: number
  last_seen: number
  listening: number
  /** 1 after a heartbeat that said goodbye. */
  stopped: number
}

/** One principal's use of one cluster; keeps its id while cluster tokens are renewed. */
export interface SessionTable {
  session_id: string
  principal_id: string
  cluster_key: string
  /** `AAD` or `Token`. */
  auth: string
  created_at: number
  last_issued_at: number
  /** When an administrator or a sign-out ended it; it cannot be renewed. */
  ended_at: Generated<number | null>
  ended_reason: Generated<string | null>
  /** Sign-in of the person it was last renewed with: a sign-out ends it. Null for applications. */
  sign_in: Generated<string | null>
}

/** One thing that ended early. Agents cut what carries a smaller `rev` than `seq`. */
export interface RevocationTable {
  /** Counts without end, never backwards; tokens name the count they were issued at (`rev`). */
  seq: number
  /** `principal`, `session`, or `all`. */
  kind: string
  /** Object id or session id; empty for `all`. */
  target: string
  reason: string
  created_at: number
}

/** A long-running operation as clients poll it; ours are done when the first answer leaves. */
export interface OperationTable {
  operation_id: string
  subscription_id: string
  resource_id: string
  status: string
  started_at: number
  ended_at: number
}

/** The tables this folder owns. */
export interface RegistryTables {
  subscriptions: SubscriptionTable
  resource_groups: ResourceGroupTable
  clusters: ClusterTable
  enrolments: EnrolmentTable
  agents: AgentTable
  presence: PresenceTable
  sessions: SessionTable
  revocations: RevocationTable
  operations: OperationTable
}
