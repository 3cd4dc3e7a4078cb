/**
 * Names and messages of the Azure Relay Hybrid Connections protocol (Microsoft Learn: relay-hybrid-connections-protocol).
 * @module
 */
import Type, { type Static } from 'typebox'

/** Query parameters and headers of the protocol; lower case as written on the wire. */
export const hybridConnection = {
  pathPrefix: '/$hc/',
  action: 'sb-hc-action',
  token: 'sb-hc-token',
  id: 'sb-hc-id',
  statusCode: 'sb-hc-statusCode',
  statusDescription: 'sb-hc-statusDescription',
  tokenHeader: 'servicebusauthorization',
} as const

/** Values of `sb-hc-action` this relay serves. */
export const hybridConnectionActions = ['listen', 'accept', 'connect'] as const
export type HybridConnectionAction = (typeof hybridConnectionActions)[number]

/**
 * Subprotocol of our own ends: after the 101 the bytes are raw, no WebSocket frames. Offered by the sender; the listener
 * repeats it when accepting. Where a hop drops it, the same bytes ride in binary WebSocket messages.
 */
export const rawSubprotocol = 'sallyport.raw.v1'

/** Subprotocol the sender offers beside the raw one; alone it means "the same bytes in binary messages". */
export const framedSubprotocol = 'sallyport.framed.v1'

/** Control message, relay → listener: a sender waits; open `address` unmodified. */
export const AcceptMessageSchema = Type.Object(
  {
    accept: Type.Object(
      {
        address: Type.String({ minLength: 1, maxLength: 8192 }),
        id: Type.String({ minLength: 1, maxLength: 256 }),
        connectHeaders: Type.Record(Type.String(), Type.String()),
        remoteEndpoint: Type.Optional(
          Type.Object(
            { address: Type.String(), port: Type.Integer() },
            { additionalProperties: true },
          ),
        ),
      },
      { additionalProperties: true },
    ),
  },
  { additionalProperties: true },
)
export type AcceptMessage = Static<typeof AcceptMessageSchema>

/** Control message, listener → relay: replace the token of this control channel. */
export const RenewTokenMessageSchema = Type.Object({
  renewToken: Type.Object({ token: Type.String({ minLength: 1, maxLength: 4096 }) }),
})

/** WebSocket close codes the protocol assigns (RFC 6455 section 7.4.1). */
export const hybridConnectionClose = {
  listenerClosed: 1000,
  entityGone: 1001,
  tokenExpired: 1008,
  internal: 1011,
} as const
