/**
 * What agent and hub say to each other under `/sallyport/v1/agent`: enrolment, heartbeat, relay access.
 * @module
 */
import Type, { type Static } from 'typebox'
import { RelayAccessSchema } from './credential.ts'

/** Paths of the agent API, all POST with a JSON body. */
export const agentApiPaths = {
  enrol: '/sallyport/v1/agent/enrol',
  heartbeat: '/sallyport/v1/agent/heartbeat',
  relays: '/sallyport/v1/agent/relays',
  feed: '/sallyport/v1/agent/feed',
  groups: '/sallyport/v1/agent/groups',
  assignments: '/sallyport/v1/agent/assignments',
} as const

/** JWS `typ` of the proof made with the onboarding key. */
export const enrolmentProofType = 'sallyport-enrol+jwt'

/** JWS `typ` of the assertion an enrolled agent sends as `Authorization: Bearer`. */
export const agentAssertionType = 'sallyport-agent+jwt'

const PublicJwk = Type.Object({
  kty: Type.Literal('EC'),
  crv: Type.Literal('P-256'),
  x: Type.String({ minLength: 43, maxLength: 43 }),
  y: Type.String({ minLength: 43, maxLength: 43 }),
})

/** Claims of the enrolment proof: signed by the onboarding private key, whose public half is `agentPublicKeyCertificate`. */
export const EnrolmentClaimsSchema = Type.Object({
  /** Origin of the hub. */
  aud: Type.String({ minLength: 1, maxLength: 2048 }),
  /** ARM id of the cluster. */
  sub: Type.String({ minLength: 1, maxLength: 1024 }),
  iat: Type.Integer(),
  exp: Type.Integer(),
  jti: Type.String({ minLength: 16, maxLength: 128 }),
  /** Public key that will sign the agent's assertions; its private half never leaves the agent. */
  agentKey: PublicJwk,
  /** Base64url SHA-256 of the SPKI of the link key. */
  linkKeySha256: Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' }),
  /** UID of namespace kube-system: names the Kubernetes cluster itself. */
  kubernetesUid: Type.String({ minLength: 1, maxLength: 64 }),
})
export type EnrolmentClaims = Static<typeof EnrolmentClaimsSchema>

/** Body of POST enrol. */
export const EnrolmentRequestSchema = Type.Object({
  proof: Type.String({ minLength: 1, maxLength: 16_384 }),
})

/** Answer of POST enrol: what the agent pins for good. */
export const EnrolmentResponseSchema = Type.Object({
  clusterId: Type.String(),
  agentId: Type.String(),
  /** `iss` of cluster tokens. */
  issuer: Type.String(),
  /** Public keys (JWKS) that sign cluster tokens. */
  clusterTokenKeys: Type.Array(
    Type.Object({ kid: Type.String({ minLength: 1, maxLength: 128 }), ...PublicJwk.properties }),
    { minItems: 1, maxItems: 8 },
  ),
  serverTime: Type.Integer(),
})
export type EnrolmentResponse = Static<typeof EnrolmentResponseSchema>

/** Body of POST heartbeat. */
export const HeartbeatSchema = Type.Object({
  /** Random id of this agent process. */
  instance: Type.String({ minLength: 8, maxLength: 64 }),
  state: Type.Union([Type.Literal('running'), Type.Literal('stopping')]),
  agentVersion: Type.String({ maxLength: 64 }),
  kubernetesVersion: Type.Optional(Type.String({ maxLength: 64 })),
  totalNodeCount: Type.Optional(Type.Integer({ minimum: 0 })),
  totalCoreCount: Type.Optional(Type.Integer({ minimum: 0 })),
  distribution: Type.Optional(Type.String({ maxLength: 64 })),
  infrastructure: Type.Optional(Type.String({ maxLength: 64 })),
  /** True when the agent's control channel to a relay is open. */
  listening: Type.Boolean(),
})
export type Heartbeat = Static<typeof HeartbeatSchema>

/** Answer of POST heartbeat. */
export const HeartbeatResponseSchema = Type.Object({
  serverTime: Type.Integer(),
  intervalMs: Type.Integer({ minimum: 1000 }),
})
export type HeartbeatResponse = Static<typeof HeartbeatResponseSchema>

/** Answer of POST relays: where to listen, each with a listen token. */
export const AgentRelaysSchema = Type.Object({
  relays: Type.Array(RelayAccessSchema, { minItems: 1, maxItems: 8 }),
})
export type AgentRelays = Static<typeof AgentRelaysSchema>
