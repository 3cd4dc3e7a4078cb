/**
 * Object ids of people from outside, the same at every hub and computable before the first sign-in.
 * @module
 */
import { createHash } from 'node:crypto'

/**
 * Namespace of these ids: UUIDv5 of the URL namespace and `urn:sallyport:outside-identity`. Never changes, since role assignments
 * and bindings name the results.
 */
const outsideNamespace = '0cc383c0-39a8-5dda-a675-653e0d490fe6'

/** UUIDv5 (RFC 9562 section 5.5) of `issuer`, a line feed and `subject`: neither can contain one, so no two pairs are the same text. */
export function outsideObjectId(issuer: string, subject: string): string {
  const hash = createHash('sha1')
    .update(Buffer.from(outsideNamespace.replaceAll('-', ''), 'hex'))
    .update(`${issuer}\n${subject}`)
    .digest()
    .subarray(0, 16)
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x50, 6)
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8)
  const hex = hash.toString('hex')
  return [8, 12, 16, 20, 32]
    .map((end, index, ends) => hex.slice(index === 0 ? 0 : ends[index - 1], end))
    .join('-')
}
