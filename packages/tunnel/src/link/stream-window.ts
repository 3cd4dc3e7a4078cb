/**
 * How much each stream may send ahead of its reader, given how many streams there are.
 * @module
 */
import type { Http2Session } from 'node:http2'
import { limits } from '@sallyport/protocol'

/**
 * Window of one of `streams` streams: all of them together fit into `linkBufferBytes`, in powers of two. Node credits the session
 * window on receipt, so stalled streams never starve others, but for the same reason that window bounds no memory; this does.
 */
export function streamWindowBytes(streams: number): number {
  let window: number = limits.linkStreamWindowBytes
  while (window * streams > limits.linkBufferBytes && window > limits.linkStreamWindowMinBytes) {
    window /= 2
  }
  return window
}

/** Keeps the window of one session's incoming streams in step with their number (RFC 9113 section 6.9.2). */
export class StreamWindow {
  readonly #session: Http2Session
  #window: number = limits.linkStreamWindowBytes

  constructor(session: Http2Session) {
    this.#session = session
  }

  /** To be called when `streams` has changed. Grows late, at half the number at which it shrank, so that it does not swing. */
  fit(streams: number): void {
    const shrunk = streamWindowBytes(streams)
    const grown = streamWindowBytes(2 * streams)
    const window = shrunk < this.#window ? shrunk : Math.max(grown, this.#window)
    if (window === this.#window || this.#session.closed || this.#session.destroyed) return
    this.#window = window
    this.#session.settings({ initialWindowSize: window })
  }
}
