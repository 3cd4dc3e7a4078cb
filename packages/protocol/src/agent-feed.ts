/**
 * What the hub tells an agent as it happens: revocations under a lease, new keys, and the groups of a session.
 * @module
 */
import Type, { type Static } from 'typebox'
import { EnrolmentResponseSchema } from './agent-api.ts'

/** JWS `typ` of the statement an agent gets from the feed, signed by a key of cluster tokens. */
export const feedStatementType = 'sallyport-feed+jwt'

/** JWS `typ` of a statement that names the keys of cluster tokens, signed by a key that was one before. */
export const keyStatementType = 'sallyport-keys+jwt'

/** Body of POST feed: held by the hub until there is news, at most `feedHoldMs`. */
export const FeedRequestSchema = Type.Object({
  /** Random id of this agent process. */
  instance: Type.String({ minLength: 8, maxLength: 64 }),
  /** Fresh random text; the statement repeats it, so that an old one cannot be played again. */
  nonce: Type.String({ pattern: '^[A-Za-z0-9_-]{22,64}$' }),
  /** Number of the latest revocation the agent knows; absent in the first request of a process. */
  after: Type.Optional(Type.Integer({ minimum: 0 })),
  /** Version of the role assignments the agent has; absent when it has none. */
  assignments: Type.Optional(Type.String({ maxLength: 64 })),
  /** Features switched off as the agent was told last; absent before the first answer. */
  disabledFeatures: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { maxItems: 16 })),
  /** Ids of the cluster-token keys the agent pins now. */
  keyIds: Type.Array(Type.String({ minLength: 1, maxLength: 128 }), { minItems: 1, maxItems: 8 }),
})
export type FeedRequest = Static<typeof FeedRequestSchema>

/** Answer of POST feed. */
export const FeedResponseSchema = Type.Object({
  /** Compact JWS of `FeedClaims`. */
  statement: Type.String({ minLength: 1, maxLength: 262_144 }),
  /** Compact JWS of `KeyClaims` that lead from the keys the agent pins to those of now, oldest first. */
  keyStatements: Type.Array(Type.String({ minLength: 1, maxLength: 16_384 }), { maxItems: 64 }),
})
export type FeedResponse = Static<typeof FeedResponseSchema>

/** Claims of a feed statement. */
export const FeedClaimsSchema = Type.Object(
  {
    iss: Type.String({ minLength: 1, maxLength: 2048 }),
    /** As in cluster tokens: exactly one cluster. */
    aud: Type.String({ pattern: '^urn:sallyport:cluster:[0-9a-f]{64}$' }),
    iat: Type.Integer(),
    nonce: Type.String(),
    /** Number of the latest revocation; the agent now knows all up to here. */
    seq: Type.Integer({ minimum: 0 }),
    /** What happened before `seq` is not told (first request, forgotten, a hub restored): every older token ends. */
    reset: Type.Boolean(),
    revocations: Type.Array(
      Type.Object({
        seq: Type.Integer({ minimum: 1 }),
        kind: Type.Union([Type.Literal('principal'), Type.Literal('session'), Type.Literal('all')]),
        target: Type.String({ maxLength: 64 }),
      }),
      { maxItems: 1_000 },
    ),
    /** From the sending of the request on, the agent may let people in for this long without another statement. */
    leaseMs: Type.Integer({ minimum: 1_000 }),
    /** Version of the role assignments to materialise. */
    assignments: Type.String({ maxLength: 64 }),
    /** Features switched off for this cluster: `cluster-connect`, `azure-rbac`, `custom-locations`. */
    disabledFeatures: Type.Array(Type.String({ maxLength: 64 }), { maxItems: 16 }),
  },
  { additionalProperties: false },
)
export type FeedClaims = Static<typeof FeedClaimsSchema>

/** Claims of a key statement: the keys that sign cluster tokens from now on, the newest last. */
export const KeyClaimsSchema = Type.Object(
  {
    iss: Type.String({ minLength: 1, maxLength: 2048 }),
    iat: Type.Integer(),
    keys: EnrolmentResponseSchema.properties.clusterTokenKeys,
  },
  { additionalProperties: false },
)
export type KeyClaims = Static<typeof KeyClaimsSchema>

/** Body of POST groups: whose groups, by a session of this cluster. */
export const AgentGroupsRequestSchema = Type.Object({
  sessionId: Type.String({ format: 'uuid' }),
})
export type AgentGroupsRequest = Static<typeof AgentGroupsRequestSchema>

/** Answer of POST groups: all groups of the principal of the session, nested ones included. */
export const AgentGroupsSchema = Type.Object({
  objectId: Type.String({ minLength: 1, maxLength: 256 }),
  /** Number of the latest revocation when they were read. */
  rev: Type.Integer({ minimum: 0 }),
  groups: Type.Array(Type.String({ minLength: 1, maxLength: 1024 }), { maxItems: 20_000 }),
})
export type AgentGroups = Static<typeof AgentGroupsSchema>
