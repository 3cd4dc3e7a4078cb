/**
 * The two halves of `ws`, which its types leave out: a frame parser and a frame writer for a socket that is already upgraded.
 * @module
 */
import type { Duplex, Writable } from 'node:stream'
import * as ws from 'ws'

/** Parser of `ws`: bytes are written into it, it emits `message`, `ping`, `pong`, `conclude`, `error`. */
export interface FrameReceiver extends Writable {
  on(event: 'message', listener: (data: Buffer, isBinary: boolean) => void): this
  on(event: 'ping' | 'pong', listener: (data: Buffer) => void): this
  on(event: 'conclude', listener: (code: number, reason: Buffer) => void): this
  on(event: 'error', listener: (error: Error) => void): this
  on(event: 'drain' | 'finish' | 'close', listener: () => void): this
}

/** Writer of `ws`: frames and masks, then writes to the socket it was made with. */
export interface FrameSender {
  onerror: (error: Error) => void
  send(
    data: Buffer,
    options: { binary: true; mask: true; fin: true; compress: false },
    done?: (error?: Error) => void,
  ): void
  pong(data: Buffer, mask: true, done?: (error?: Error) => void): void
  close(code: number, reason: Buffer | undefined, mask: true, done?: (error?: Error) => void): void
}

interface WsParts {
  Receiver: new (options: {
    isServer: boolean
    maxPayload: number
    maxFragments: number
    maxBufferedChunks: number
  }) => FrameReceiver
  Sender: new (socket: Duplex) => FrameSender
}

/** `Receiver` and `Sender` as exported by ws 8. */
export const { Receiver, Sender } = ws as unknown as WsParts
