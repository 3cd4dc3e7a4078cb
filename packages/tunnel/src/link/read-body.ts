/**
 * Reads a small body of a request or answer.
 * @module
 */
import type { Readable } from 'node:stream'
import { SallyportError } from '@sallyport/protocol'
import { linkError } from './stream-error.ts'

/** The whole body as UTF-8. @throws SallyportError ERR_REQUEST_INVALID beyond `maxBytes`, or what broke the stream. */
export async function readBody(stream: Readable, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > maxBytes) {
        throw new SallyportError('ERR_REQUEST_INVALID', `the body is larger than ${maxBytes} bytes`)
      }
      chunks.push(chunk)
    }
  } catch (error) {
    throw linkError(error)
  }
  return Buffer.concat(chunks).toString('utf8')
}
