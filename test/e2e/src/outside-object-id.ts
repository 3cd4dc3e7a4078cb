/**
 * The object id of a person from outside as `docs/outside-issuers.md` says anybody can compute it, written apart from the hub's own.
 * @module
 */
import { createHash } from 'node:crypto'

const namespace = '0cc383c0-39a8-5dda-a675-653e0d490fe6'

/** UUIDv5 of issuer, line feed and subject. */
export function computedObjectId(issuer: string, subject: string): string {
  const hash = createHash('sha1')
    .update(Buffer.from(namespace.replaceAll('-', ''), 'hex'))
    .update(`${issuer}\n${subject}`)
    .digest('hex')
  const variant = ((Number.parseInt(hash.slice(16, 18), 16) & 0x3f) | 0x80).toString(16)
  const parts = [hash.slice(0, 8), hash.slice(8, 12), `5${hash.slice(13, 16)}`]
  return [...parts, `${variant}${hash.slice(18, 20)}`, hash.slice(20, 32)].join('-')
}

/** `sub` of Dex: base64url of a protocol buffer with the id of the person and that of the connector. */
export function dexSubject(userId: string, connector: string): string {
  const field = (number: number, text: string) =>
    Buffer.concat([Buffer.from([(number << 3) | 2, text.length]), Buffer.from(text)])
  return Buffer.concat([field(1, userId), field(2, connector)]).toString('base64url')
}
