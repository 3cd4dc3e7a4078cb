/**
 * Tables of outside issuers and of the people who came through them. Times are Unix milliseconds, booleans 0 or 1.
 * @module
 */

/** An outside OpenID provider that people may sign in with. Its client secret is a file in `keys/`, not here. */
export interface OutsideIssuerTable {
  /** Short name, in addresses and group names. */
  alias: string
  /** `iss`, exactly. */
  issuer: string
  /** `entra` or `oidc`. */
  kind: string
  display_name: string
  /** JSON: client id, scopes, claims, tenants, prefix. */
  config: string
  enabled: number
  created_at: number
  modified_at: number
}

/** Which of our users an outside account is: `(issuer, subject)` is the account, nothing else (T-JWT-7). */
export interface OutsideAccountTable {
  issuer: string
  subject: string
  object_id: string
  created_at: number
}

/** Groups an outside issuer named at the last sign-in, as the cluster will see them. */
export interface OutsideGroupTable {
  object_id: string
  group_name: string
}

/** The tables this folder owns. */
export interface IssuerTables {
  outside_issuers: OutsideIssuerTable
  outside_accounts: OutsideAccountTable
  outside_groups: OutsideGroupTable
}
