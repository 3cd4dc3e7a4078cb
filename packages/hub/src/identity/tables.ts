/**
 * Tables of identity: service principals with hashed secrets, the state of the OpenID provider, settings of the hub.
 * @module
 */
import type { Generated } from 'kysely'

/** A service principal. Times are Unix milliseconds, booleans 0 or 1. */
export interface ServicePrincipalTable {
  object_id: string
  /** Client id. */
  app_id: string
  display_name: string
  enabled: number
  administrator: number
  /** Tokens that carry a smaller `rev` are no longer accepted; see `registry/revocations.ts`. */
  revoked_seq: Generated<number>
  created_at: number
}

/** One secret of a service principal, as a scrypt hash; the secret itself is never stored. */
export interface ServicePrincipalSecretTable {
  key_id: string
  object_id: string
  /** Base64url. */
  salt: string
  /** Base64url. */
  hash: string
  /** scrypt cost, block size and parallelism, so that they can be raised later (RFC 7914). */
  cost: number
  block_size: number
  parallelism: number
  created_at: number
  /** Unix milliseconds; null: does not expire. */
  expires_at: number | null
  display_name: Generated<string | null>
}

/** Everything the OpenID provider keeps, one row for each model instance. */
export interface OidcTable {
  model: string
  id: string
  grant_id: string | null
  /** Object id of the person it belongs to. */
  account_id: string | null
  uid: string | null
  user_code: string | null
  /** JSON. */
  payload: string
  /** Unix milliseconds; null: does not expire. */
  expires_at: number | null
  consumed_at: number | null
}

/** Facts fixed at the first start of a data directory. */
export interface HubSettingTable {
  name: string
  value: string
}

/** The tables this folder owns. */
export interface IdentityTables {
  service_principals: ServicePrincipalTable
  service_principal_secrets: ServicePrincipalSecretTable
  oidc: OidcTable
  hub_settings: HubSettingTable
}
