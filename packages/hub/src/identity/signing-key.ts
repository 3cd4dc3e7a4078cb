/**
 * Signing keys, one file each, mode 0600: not in the store, so that a copy of the store signs nothing.
 * @module
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import Type, { type Static } from 'typebox'
import { calculateJwkThumbprint } from 'jose'
import { jsonParser, parser, SallyportError } from '@sallyport/protocol'
import { readPrivateFile, writePrivateFile } from '../server/data-directory.ts'
import type { KeyKind } from './rotating-keys.ts'

const coordinate = Type.String({ minLength: 43, maxLength: 43 })

/** A private key as it is kept. */
export const PrivateJwkSchema = Type.Object({
  kty: Type.Literal('EC'),
  crv: Type.Literal('P-256'),
  x: coordinate,
  y: coordinate,
  d: coordinate,
})
/** A private P-256 key as kept. */
export type PrivateJwk = Static<typeof PrivateJwkSchema>

/** Public half as published: `kid` is the RFC 7638 thumbprint. */
export interface PublicSigningKey {
  kid: string
  kty: 'EC'
  crv: 'P-256'
  x: string
  y: string
}

/** An ES256 key. */
export interface SigningKey {
  kid: string
  privateKey: KeyObject
  publicKey: KeyObject
  publicJwk: PublicSigningKey
  privateJwk: PublicSigningKey & { d: string }
}

/**
 * Reads the key, or makes it when there is none.
 * @throws SallyportError ERR_STATE_INVALID (damaged), ERR_FILE_ACCESS (others can read it), ERR_STORE_FULL.
 */
export async function loadSigningKey(path: string): Promise<SigningKey> {
  const kept = readPrivateFile(path)
  if (kept !== undefined) {
    return toSigningKey(jsonParser(PrivateJwkSchema, path, 'ERR_STATE_INVALID')(kept), path)
  }
  const jwk = makePrivateJwk()
  writePrivateFile(path, `${JSON.stringify(jwk)}\n`)
  return toSigningKey(jwk, path)
}

/** Access-token keys: several in their file, one in a file of an earlier version. */
export const signingKeyKind: KeyKind<PrivateJwk, SigningKey> = {
  make: makePrivateJwk,
  load: async (kept, path) => {
    const jwk = parser(PrivateJwkSchema, path, 'ERR_STATE_INVALID')(kept)
    return { kept: jwk, key: await toSigningKey(jwk, path) }
  },
  readOld: (content) =>
    typeof content === 'object' && content !== null && 'kty' in content ? [content] : undefined,
}

/** A new P-256 key. */
export function makePrivateJwk(): PrivateJwk {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return parseMade(privateKey.export({ format: 'jwk' }))
}

const parseMade = parser(PrivateJwkSchema, 'new key', 'ERR_INTERNAL')

/** A kept key, ready to sign. @throws SallyportError ERR_STATE_INVALID naming `path`. */
export async function toSigningKey(jwk: PrivateJwk, path: string): Promise<SigningKey> {
  const { kty, crv, x, y, d } = jwk
  const kid = await calculateJwkThumbprint({ kty, crv, x, y }, 'sha256')
  const publicJwk = { kid, kty, crv, x, y }
  try {
    const privateKey = createPrivateKey({ key: { kty, crv, x, y, d }, format: 'jwk' })
    const publicKey = createPublicKey({ key: { kty, crv, x, y }, format: 'jwk' })
    return { kid, privateKey, publicKey, publicJwk, privateJwk: { ...publicJwk, d } }
  } catch (cause) {
    throw new SallyportError('ERR_STATE_INVALID', `${path} is not a P-256 key`, { cause })
  }
}
