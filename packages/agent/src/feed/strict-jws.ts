/**
 * Compact JWS as this hub writes them and no other way: three header members, ES256, a key known beforehand.
 * @module
 */
import { compactVerify, errors, type CryptoKey, type KeyObject } from 'jose'
import type { SallyportError } from '@sallyport/protocol'

/** A public key ready to verify. */
export type VerifyingKey = CryptoKey | KeyObject | Uint8Array

/** How one kind of statement is checked. */
export interface JwsRules {
  typ: string
  maxBytes: number
  keyOf: (kid: string) => VerifyingKey | undefined
  /** Makes the error of a refusal; the reason is for the log. */
  refuse: (why: string, cause?: unknown) => SallyportError
}

const kidPattern = /^[A-Za-z0-9_\-.=]{1,128}$/

/**
 * One part of a compact JWS as an object. The text must be what `JSON.stringify` writes: that rules out repeated members
 * (X045: the last would win), odd numbers and escapes, without a JSON parser of our own.
 */
function parsePart(bytes: Uint8Array, what: string, { refuse }: JwsRules): object {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    const data: unknown = JSON.parse(text)
    if (typeof data === 'object' && data !== null && JSON.stringify(data) === text) return data
  } catch (cause) {
    throw refuse(`the ${what} is not JSON`, cause)
  }
  throw refuse(`the ${what} is not compact JSON without repeated members`)
}

/**
 * The key id of a header that says exactly what ours say; `jwk`, `jku`, `x5u`, `crit` and friends have no meaning here (X061).
 * @throws what `refuse` makes.
 */
export function keyIdOf(token: string, rules: JwsRules): string {
  const { refuse } = rules
  const header = parsePart(Buffer.from(token.split('.', 1)[0] ?? '', 'base64url'), 'header', rules)
  const { alg, typ, kid, ...others } = header as Record<string, unknown>
  if (Object.keys(others).length > 0) throw refuse('the header has an unknown member')
  if (alg !== 'ES256') throw refuse('the algorithm is not ES256')
  if (typ !== rules.typ) throw refuse('it is of another type')
  if (typeof kid !== 'string' || !kidPattern.test(kid)) throw refuse('the key id is malformed')
  return kid
}

/** The payload of a verified statement. @throws what `refuse` makes. */
export async function verifyStrict(token: string, rules: JwsRules): Promise<object> {
  const { refuse } = rules
  if (token.length > rules.maxBytes) throw refuse('it is too long')
  const key = rules.keyOf(keyIdOf(token, rules))
  if (key === undefined) throw refuse('the key is not one of the pinned keys of the hub')
  try {
    const { payload } = await compactVerify(token, key, { algorithms: ['ES256'] })
    return parsePart(payload, 'payload', rules)
  } catch (cause) {
    if (cause instanceof errors.JOSEError) throw refuse('the signature does not verify', cause)
    throw cause
  }
}
