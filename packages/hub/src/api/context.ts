/**
 * What the API is given by the program around it.
 * @module
 */
import type { FastifyRequest } from 'fastify'
import type {
  ClusterTokenClaims,
  EnrolmentResponse,
  FeedClaims,
  RelayAccess,
} from '@sallyport/protocol'
import type { IssuerManagement } from '../identity/issuers/issuer-management.ts'
import type { KeyRotation } from '../identity/key-rotation.ts'
import type { Principal } from '../identity/principal.ts'
import type { ChangeFeed } from '../registry/change-feed.ts'
import type { Store } from '../store/store.ts'

/** Claims of a cluster token the API decides; the signer adds `iss`, `jti` and the times. */
export type ClusterTokenSubject = Omit<ClusterTokenClaims, 'iss' | 'jti' | 'iat' | 'nbf' | 'exp'>

/** Signs cluster tokens and shows the keys agents pin. */
export interface ClusterTokens {
  issuer: string
  publicKeys: () => EnrolmentResponse['clusterTokenKeys']
  /** `expiresAt` in Unix seconds. */
  sign: (claims: ClusterTokenSubject) => Promise<{ token: string; expiresAt: number }>
  /** Signs a statement of the feed; the signer adds `iss` and `iat`. */
  signFeed: (news: Omit<FeedClaims, 'iss' | 'iat'>) => Promise<string>
  /** Key statements that lead an agent from the keys it pins to those of now. */
  statementsFor: (keyIds: readonly string[]) => string[]
}

/** Everything the API needs. */
export interface ApiContext {
  store: Store
  /** Origin of the hub as clients know it, without trailing slash. */
  publicUrl: string
  tenantId: string
  location: { name: string; displayName: string }
  /** Name of this hub node in presence rows. */
  node?: string
  /** @throws SallyportError ERR_AUTH_REQUIRED, ERR_AUTH_EXPIRED, ERR_AUTH_FAILED. */
  authenticate: (request: FastifyRequest) => Promise<Principal>
  clusterTokens: ClusterTokens
  /** Relays that serve a path (`microsoft.kubernetes/connectedclusters/<hash>`), each with a token for it. */
  relayAccess: {
    forClient: (path: string) => RelayAccess[]
    forAgent: (path: string) => RelayAccess[]
  }
  /** Woken after each commit that agents must hear of at once: revocations, assignments, keys. */
  changes: ChangeFeed
  /** The rotation of cluster-token keys. */
  keyRotation: Pick<KeyRotation, 'heard' | 'rotate'>
  /** Replaces the keys of access tokens and cookies; `now`: the old are worth nothing. Resolves to the id of the new one. */
  rotateAccessTokenKeys: (retire?: 'now') => Promise<string>
  /** For how long an agent lets people in without hearing from the hub; the limit `feedLeaseMs` by default. */
  agentLeaseMs?: number
  /** Version of the role assignments of a cluster; `0` by default. */
  assignmentsVersion?: (clusterKey: string) => Promise<string>
  /** Features switched off for a cluster; none by default. */
  disabledFeatures?: (clusterKey: string) => Promise<string[]>
  /** Outside issuers people may sign in with. */
  issuers: IssuerManagement
  /** Unix milliseconds. */
  now: () => number
}
