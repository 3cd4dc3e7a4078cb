/**
 * Reads a small body of a request or answer.
 * @module
 */
import type { Http2Stream } from 'node:http2'
import { SallyportError } from '@sallyport/protocol'
import { linkError, resetError } from './stream-error.ts'

/**
 * The whole body as UTF-8. Beyond `maxBytes` the rest is discarded, so that an answer can still be sent.
 * @throws SallyportError ERR_REQUEST_INVALID beyond `maxBytes`, or what broke the stream.
 */
export function readBody(stream: Http2Stream, maxBytes: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const chunks: Buffer[] = []
  let bytes = 0
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes <= maxBytes) {
      chunks.push(chunk)
      return
    }
    chunks.length = 0
    reject(new SallyportError('ERR_REQUEST_INVALID', `the body is larger than ${maxBytes} bytes`))
  })
  stream.once('end', () => {
    resolve(Buffer.concat(chunks).toString('utf8'))
  })
  stream.once('error', (error) => {
    reject(linkError(error))
  })
  stream.once('close', () => {
    reject(resetError(stream.rstCode))
  })
  return promise
}
