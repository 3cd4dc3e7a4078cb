/**
 * Signing keys, one file each, mode 0600: not in the store, so that a copy of the store signs nothing.
 * @module
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import Type from 'typebox'
import { calculateJwkThumbprint } from 'jose'
import { jsonParser, SallyportError } from '@sallyport/protocol'
import { readPrivateFile, writePrivateFile } from '../server/data-directory.ts'

const coordinate = Type.String({ minLength: 43, maxLength: 43 })
const PrivateJwk = Type.Object({
  kty: Type.Literal('EC'),
  crv: Type.Literal('P-256'),
  x: coordinate,
  y: coordinate,
  d: coordinate,
})

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
  if (kept !== undefined) return fromJwk(kept, path)
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const text = JSON.stringify(privateKey.export({ format: 'jwk' }))
  const key = await fromJwk(text, path)
  writePrivateFile(path, `${text}\n`)
  return key
}

async function fromJwk(text: string, path: string): Promise<SigningKey> {
  const { kty, crv, x, y, d } = jsonParser(PrivateJwk, path, 'ERR_STATE_INVALID')(text)
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
