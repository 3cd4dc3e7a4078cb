/**
 * Two byte streams made one: back-pressure, half-close, one write a turn.
 * @module
 */
import type { Duplex } from 'node:stream'
import { limits } from '@sallyport/protocol'

function flow(from: Duplex, to: Duplex): void {
  let corked = false
  const uncork = (): void => {
    corked = false
    to.uncork()
    if (to.writableNeedDrain) from.pause()
  }
  from.on('data', (chunk: Buffer) => {
    if (!corked) {
      corked = true
      to.cork()
      setImmediate(uncork)
    }
    if (!to.write(chunk) && to.writableLength > limits.relaySpliceBufferBytes) from.pause()
  })
  to.on('drain', () => {
    from.resume()
  })
  from.once('end', () => {
    to.end()
  })
  from.on('error', () => {
    to.destroy()
  })
  from.once('close', () => {
    // A clean end has been passed on above; anything else must not look like one.
    if (!from.readableEnded || !from.writableFinished) to.destroy()
  })
}

/** Joins two duplex streams until both directions have ended or one of them breaks. */
export function splice(left: Duplex, right: Duplex): void {
  flow(left, right)
  flow(right, left)
}
