/**
 * What a relay tells its owner, for logs and metrics. Never a token, never a byte of what it carries.
 * @module
 */
import type { ErrorCode } from '@sallyport/protocol'

/** `raw` bytes, or WebSocket frames whose masks are rewritten. */
export type SpliceMode = 'raw' | 'frames'

/** One event. `id` is the correlation id of a listener or rendezvous, `path` the entity with the sender's suffix. */
export type RelayEvent =
  | { type: 'listener-open'; path: string; id: string; remoteAddress: string }
  | { type: 'listener-renewed'; path: string; id: string }
  | { type: 'listener-closed'; path: string; id: string; closeCode: number; durationMs: number }
  | { type: 'rendezvous-open'; path: string; id: string; mode: SpliceMode; waitedMs: number }
  | {
      type: 'rendezvous-closed'
      path: string
      id: string
      bytesUp: number
      bytesDown: number
      durationMs: number
    }
  | { type: 'rendezvous-rejected'; path: string; id: string; status: number }
  | { type: 'rendezvous-abandoned'; path: string; id: string }
  | { type: 'refused'; code: ErrorCode; status: number; why: string; trackingId: string }
