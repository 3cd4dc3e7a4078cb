/**
 * One direction of a splice: what is read from one socket is written to the other, with bounded buffers.
 * @module
 */
import type { Duplex } from 'node:stream'
import { limits } from '@sallyport/protocol'

/** From where to where. `forward` gives the chunks to write for one that was read; `onBytes` counts what was read. */
export interface PumpOptions {
  from: Duplex
  to: Duplex
  forward: (chunk: Buffer) => readonly Buffer[]
  onBytes: (count: number) => void
}

/**
 * Copies until `from` ends; ends and errors are the caller's. All that one turn of the event loop read is written in one call (cork),
 * which under TLS saves most of the relay's work. The reader pauses when more than `relaySpliceHighWaterMarkBytes` wait after a turn,
 * or `relaySpliceBufferBytes` within one, and goes on when all is written.
 * @returns a function that ends the copying for good.
 */
export function pump({ from, to, forward, onBytes }: PumpOptions): () => void {
  let isCorked = false
  const uncork = (): void => {
    isCorked = false
    to.uncork()
    if (to.writableLength > limits.relaySpliceHighWaterMarkBytes) from.pause()
  }
  const copy = (chunk: Buffer): void => {
    onBytes(chunk.length)
    if (!to.writable) return
    if (!isCorked) {
      isCorked = true
      to.cork()
      setImmediate(uncork)
    }
    for (const part of forward(chunk)) to.write(part)
    if (to.writableLength > limits.relaySpliceBufferBytes) from.pause()
  }
  const resume = (): void => {
    from.resume()
  }
  from.on('data', copy)
  to.on('drain', resume)
  resume()
  return () => {
    from.off('data', copy)
    to.off('drain', resume)
  }
}
