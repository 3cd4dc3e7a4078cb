/**
 * `listClusterUserCredential`: the published shape plus our `sallyport` member, and the cluster token it carries.
 * @module
 */
import Type, { type Static } from 'typebox'

const open = { additionalProperties: true } as const

/** How the user is authenticated in the cluster: by the hub's principal (`AAD`) or by a service account token (`Token`). */
export const authenticationMethods = ['AAD', 'Token'] as const
export type AuthenticationMethod = (typeof authenticationMethods)[number]

/** Base64url, no padding, of a SHA-256 digest. */
const Sha256Base64Url = Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' })

/** Body of POST listClusterUserCredential. `sallyport` is ours; without it the answer has no cluster token. */
export const ListCredentialRequestSchema = Type.Object(
  {
    authenticationMethod: Type.String({ minLength: 1, maxLength: 32 }),
    clientProxy: Type.Boolean(),
    sallyport: Type.Optional(
      Type.Object({
        /** `x5t#S256` of the client certificate of the link (RFC 8705 section 3.1). */
        certificateThumbprint: Sha256Base64Url,
        /** Keep this session when renewing; absent for a new one. */
        sessionId: Type.Optional(Type.String({ format: 'uuid' })),
      }),
    ),
  },
  open,
)
export type ListCredentialRequest = Static<typeof ListCredentialRequestSchema>

/** One relay a client or agent may dial, with its SAS token for exactly one path and right. */
export const RelayAccessSchema = Type.Object({
  /** `wss://host:port/$hc/<path>`, no query. */
  url: Type.String({ minLength: 1, maxLength: 2048 }),
  /** `SharedAccessSignature sr=…&sig=…&se=…&skn=…`. */
  token: Type.String({ minLength: 1, maxLength: 4096 }),
  /** Unix seconds. */
  expiresAt: Type.Integer(),
})
export type RelayAccess = Static<typeof RelayAccessSchema>

/** Our part of the answer: how to reach the agent, whom to expect there, and the proof to show. */
export const SallyportCredentialSchema = Type.Object(
  {
    clusterId: Type.String(),
    sessionId: Type.String(),
    relays: Type.Array(RelayAccessSchema, { minItems: 1, maxItems: 8 }),
    /** Base64url SHA-256 of the SubjectPublicKeyInfo (DER) of the agent's link key. */
    agentKeySha256: Sha256Base64Url,
    clusterToken: Type.String({ minLength: 1, maxLength: 16_384 }),
    /** Unix seconds. */
    clusterTokenExpiresAt: Type.Integer(),
    /** Hub clock at issue, Unix seconds: lets the client name a clock skew. */
    serverTime: Type.Integer(),
  },
  open,
)
export type SallyportCredential = Static<typeof SallyportCredentialSchema>

/** Answer of POST listClusterUserCredential (CredentialResults of the published API). */
export const CredentialResultsSchema = Type.Object(
  {
    hybridConnectionConfig: Type.Optional(
      Type.Object(
        {
          expirationTime: Type.Integer(),
          hybridConnectionName: Type.String(),
          relay: Type.String(),
          relayTid: Type.Optional(Type.String()),
          relayType: Type.Optional(Type.String()),
          token: Type.String(),
        },
        open,
      ),
    ),
    kubeconfigs: Type.Array(Type.Object({ name: Type.String(), value: Type.String() }, open)),
    sallyport: Type.Optional(SallyportCredentialSchema),
  },
  open,
)
export type CredentialResults = Static<typeof CredentialResultsSchema>

/** JWS `typ` of a cluster token. */
export const clusterTokenType = 'sallyport-cluster+jwt'

/**
 * Claims of a cluster token: ES256, ≤ 5 minutes, `aud` exactly one cluster, bound by `cnf.x5t#S256` (RFC 8705).
 * `oid` is the principal's object id; the guard maps it to `Impersonate-User` when `auth` is `AAD`.
 */
export const ClusterTokenClaimsSchema = Type.Object(
  {
    iss: Type.String({ minLength: 1, maxLength: 2048 }),
    /** `urn:sallyport:cluster:<clusterHash>`; exactly one string (M13). */
    aud: Type.String({ pattern: '^urn:sallyport:cluster:[0-9a-f]{64}$' }),
    sub: Type.String({ minLength: 1, maxLength: 256 }),
    oid: Type.String({ minLength: 1, maxLength: 256 }),
    idtyp: Type.Union([Type.Literal('user'), Type.Literal('app')]),
    tid: Type.String(),
    sid: Type.String({ format: 'uuid' }),
    jti: Type.String({ minLength: 1, maxLength: 128 }),
    iat: Type.Integer(),
    nbf: Type.Integer(),
    exp: Type.Integer(),
    auth: Type.Union([Type.Literal('AAD'), Type.Literal('Token')]),
    groups: Type.Array(Type.String()),
    /** Present when the principal has more groups than a token carries; the agent asks the hub for all of them. */
    hasgroups: Type.Optional(Type.Literal(true)),
    /** Number of the latest revocation when the token was issued: a later one about its principal or session ends it. */
    rev: Type.Integer({ minimum: 0 }),
    cnf: Type.Object({ 'x5t#S256': Sha256Base64Url }),
  },
  { additionalProperties: false },
)
export type ClusterTokenClaims = Static<typeof ClusterTokenClaimsSchema>

/** `aud` of the cluster token of the cluster with this hash (see `clusterHash`). */
export function clusterAudience(hash: string): string {
  return `urn:sallyport:cluster:${hash}`
}
