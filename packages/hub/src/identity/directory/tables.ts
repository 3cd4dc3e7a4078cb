/**
 * Tables of the directory: users, nested groups, and what service principals sign in with besides secrets.
 * Times are Unix milliseconds, booleans 0 or 1.
 * @module
 */

/** A person, of our own or of an outside issuer. */
export interface UserTable {
  /** Lower-case GUID. */
  object_id: string
  user_principal_name: string
  /** Lower-cased `user_principal_name`. */
  upn_key: string
  display_name: string
  mail: string | null
  /** argon2id, as a PHC string; null for people who sign in elsewhere. */
  password_hash: string | null
  enabled: number
  administrator: number
  /** Tokens that carry a smaller `rev` are no longer accepted; see `registry/revocations.ts`. */
  revoked_seq: number
  created_at: number
}

/** A group of our own. */
export interface DirectoryGroupTable {
  object_id: string
  display_name: string
  description: string | null
  created_at: number
}

/** One direct membership; groups may be members of groups. */
export interface GroupMemberTable {
  group_id: string
  member_id: string
  member_kind: 'user' | 'group' | 'servicePrincipal'
}

/** A certificate that a service principal may sign in with (RFC 7523 client assertions). */
export interface ServicePrincipalCertificateTable {
  key_id: string
  object_id: string
  display_name: string | null
  /** Base64url SHA-256 of the DER certificate. */
  thumbprint_sha256: string
  /** PEM. */
  certificate: string
  created_at: number
  expires_at: number
}

/** An outside workload that may sign in as a service principal: issuer and subject are compared exactly. */
export interface FederatedCredentialTable {
  credential_id: string
  object_id: string
  name: string
  issuer: string
  subject: string
  audience: string
  created_at: number
}

/** The tables this folder owns. */
export interface DirectoryTables {
  users: UserTable
  directory_groups: DirectoryGroupTable
  group_members: GroupMemberTable
  service_principal_certificates: ServicePrincipalCertificateTable
  federated_credentials: FederatedCredentialTable
}
