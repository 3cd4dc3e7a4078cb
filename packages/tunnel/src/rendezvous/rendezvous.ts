/**
 * One end of a rendezvous: which bytes follow the 101, and the stream that carries them.
 * @module
 */
import type { Duplex } from 'node:stream'
import { framedSubprotocol, rawSubprotocol } from '@sallyport/protocol'
import type { UpgradedSocket } from './client-upgrade.ts'
import { FramedStream } from './framed-stream.ts'

/** `raw`: the socket itself; `framed`: the same bytes in binary WebSocket messages. */
export type RendezvousMode = 'raw' | 'framed'

/** A spliced connection to the other end; `id` is the one the relay and both ends log. */
export interface Rendezvous {
  stream: Duplex
  mode: RendezvousMode
  id: string
}

/** Both modes, best first. */
export const allModes: readonly RendezvousMode[] = ['raw', 'framed']

/** Subprotocol of a mode. */
export function subprotocolOf(mode: RendezvousMode): string {
  return mode === 'raw' ? rawSubprotocol : framedSubprotocol
}

/** The rendezvous on an upgraded socket: raw only when the relay confirmed it, framed in every other case. */
export function rendezvousOn({ socket, subprotocol }: UpgradedSocket, id: string): Rendezvous {
  return subprotocol === rawSubprotocol
    ? { stream: socket, mode: 'raw', id }
    : { stream: new FramedStream(socket), mode: 'framed', id }
}
