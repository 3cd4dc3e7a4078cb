/**
 * The body of a request as a stream of its own: the client of the API server may destroy it without destroying the connection.
 * @module
 */
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'

/** Streams an incoming body with back-pressure; ends with an error when the sender goes away before its end. */
export class RequestBody extends Readable {
  readonly #source: IncomingMessage

  constructor(source: IncomingMessage) {
    super()
    this.#source = source
    source.on('data', this.#onData)
    source.once('end', this.#onEnd)
    source.once('close', this.#onClose)
  }

  override _read(): void {
    this.#source.resume()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const source = this.#source
    source.off('data', this.#onData)
    source.off('end', this.#onEnd)
    source.off('close', this.#onClose)
    // The answer came before the end of the body: the rest is read and thrown away, so that the answer can be read.
    source.resume()
    done(error)
  }

  readonly #onData = (chunk: Buffer): void => {
    if (!this.push(chunk)) this.#source.pause()
  }

  readonly #onEnd = (): void => {
    this.push(null)
  }

  readonly #onClose = (): void => {
    if (!this.#source.readableEnded) this.destroy(new Error('the client went away'))
  }
}
