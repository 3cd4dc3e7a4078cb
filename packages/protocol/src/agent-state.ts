/**
 * Files of the agent's state directory (0700, files 0600, written whole: temporary file, fsync, rename).
 * `connect` writes the first, the agent writes the others; each program brings its own file access.
 * @module
 */
import Type, { type Static } from 'typebox'
import { EnrolmentResponseSchema } from './agent-api.ts'

/** File names inside the state directory. */
export const agentStateFiles = {
  /** Written by `connect`, removed by the agent once `agent.json` is safe. */
  enrolment: 'enrolment.json',
  /** The agent's keys, written before they are announced to the hub. */
  keys: 'agent-keys.json',
  /** What enrolment settled; present exactly when the agent is enrolled. */
  agent: 'agent.json',
  /** Held by the running agent. */
  lock: 'agent.lock',
} as const

/** `enrolment.json`: everything an agent needs to enrol itself once. */
export const EnrolmentFileSchema = Type.Object(
  {
    /** Origin of the hub, `https://host:port`. */
    hub: Type.String({ pattern: '^https://[^/?#\\s]{1,255}$' }),
    /** PEM; when present the only authority the agent trusts for the hub and its relays. */
    ca: Type.Optional(Type.String({ minLength: 1, maxLength: 65_536 })),
    /** ARM id of the connected cluster. */
    clusterId: Type.String({ minLength: 1, maxLength: 1024 }),
    /** PKCS#8 PEM; the public half is the resource's `agentPublicKeyCertificate`. */
    onboardingKey: Type.String({ minLength: 1, maxLength: 16_384 }),
  },
  { additionalProperties: false },
)
export type EnrolmentFile = Static<typeof EnrolmentFileSchema>

/** `agent-keys.json`: made in the cluster, never leave it. */
export const AgentKeysSchema = Type.Object(
  {
    /** P-256 PKCS#8 PEM: signs assertions to the hub. */
    agentKey: Type.String({ minLength: 1, maxLength: 16_384 }),
    /** P-256 PKCS#8 PEM and self-signed certificate of the link. */
    linkKey: Type.String({ minLength: 1, maxLength: 16_384 }),
    linkCertificate: Type.String({ minLength: 1, maxLength: 16_384 }),
  },
  { additionalProperties: false },
)
export type AgentKeys = Static<typeof AgentKeysSchema>

/** `agent.json`: an enrolled agent. */
export const AgentStateSchema = Type.Object(
  {
    hub: EnrolmentFileSchema.properties.hub,
    ca: EnrolmentFileSchema.properties.ca,
    clusterId: EnrolmentFileSchema.properties.clusterId,
    agentId: Type.String({ minLength: 1, maxLength: 128 }),
    issuer: EnrolmentResponseSchema.properties.issuer,
    clusterTokenKeys: EnrolmentResponseSchema.properties.clusterTokenKeys,
    /** `iat` of the key statement the keys came with; absent for those of enrolment. */
    clusterTokenKeysAt: Type.Optional(Type.Integer({ minimum: 0 })),
    ...AgentKeysSchema.properties,
  },
  { additionalProperties: false },
)
export type AgentState = Static<typeof AgentStateSchema>
