/**
 * The link between client and agent: names on the wire and the bind exchange. `docs/protocol.md` shows it byte by byte.
 * @module
 */
import Type, { type Static } from 'typebox'

/** ALPN protocol of the inner TLS connection (RFC 9113 section 3.2). */
export const linkAlpn = 'h2'

/** Request path of the bind exchange, `POST`, the first request of every link and again to renew. */
export const bindPath = '/sallyport/v1/bind'

/** `:authority` of every CONNECT stream: the one thing a client may reach is the cluster's own API server. */
export const streamAuthority = 'kubernetes'

/** Request header of a CONNECT stream: its id, decimal, unique in the session and never reused (streams outlive links). */
export const streamIdHeader = 'sallyport-stream'

/** Request header that ties CLI, hub and agent logs together; also sent upstream as `Audit-ID`. */
export const requestIdHeader = 'x-ms-client-request-id'

/** Body of the bind request. */
export const BindRequestSchema = Type.Object({
  v: Type.Literal(1),
  token: Type.String({ minLength: 1, maxLength: 16_384 }),
  client: Type.String({ maxLength: 64 }),
})
export type BindRequest = Static<typeof BindRequestSchema>

/** Answer of an accepted bind. */
export const BindResponseSchema = Type.Object(
  {
    v: Type.Literal(1),
    sessionId: Type.String(),
    /** Unix seconds at which the session ends unless renewed. */
    expiresAt: Type.Integer(),
    agentVersion: Type.String(),
    /** Agent clock, Unix seconds. */
    serverTime: Type.Integer(),
  },
  { additionalProperties: true },
)
export type BindResponse = Static<typeof BindResponseSchema>

/** Answer of a refused bind; the precise reason stays in the agent's log. */
export const BindErrorSchema = Type.Object(
  {
    code: Type.String(),
    message: Type.String(),
    serverTime: Type.Integer(),
  },
  { additionalProperties: true },
)
