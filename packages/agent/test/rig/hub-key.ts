/**
 * A hub key and the tokens it signs, right or wrong on purpose.
 * @module
 */
import { createSign, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { clusterTokenType, type EnrolmentResponse } from '@sallyport/protocol'
import { oid, sid } from './rig.ts'

export const issuer = 'urn:sallyport:hub:11111111-1111-4111-8111-111111111111'
export const hash = 'ab'.repeat(32)
export const thumbprint = 'T'.repeat(43)

/** A P-256 key with its pinned public half. */
export interface HubKey {
  kid: string
  privateKey: KeyObject
  publicKey: KeyObject
  pinned: EnrolmentResponse['clusterTokenKeys'][number]
}

export function makeHubKey(kid = 'hub-1'): HubKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
  return { kid, privateKey, publicKey, pinned: { kid, kty: 'EC', crv: 'P-256', x, y } }
}

/** Right claims at `now` (Unix seconds), changed by `change`; a member set to undefined is left out. */
export function claims(change: object = {}, now = Math.floor(Date.now() / 1000)): object {
  return {
    iss: issuer,
    aud: `urn:sallyport:cluster:${hash}`,
    sub: oid,
    oid,
    idtyp: 'app',
    tid: '11111111-1111-4111-8111-111111111111',
    sid,
    jti: 'jti-0123456789',
    iat: now,
    nbf: now,
    exp: now + 300,
    auth: 'AAD',
    groups: [],
    rev: 0,
    cnf: { 'x5t#S256': thumbprint },
    ...change,
  }
}

const encode = (part: string): string => Buffer.from(part).toString('base64url')

/** Signs header and payload as they are, objects as JSON, texts verbatim. */
export function signRaw(key: HubKey, header: object | string, payload: object | string): string {
  const text = (part: object | string): string =>
    typeof part === 'string' ? part : JSON.stringify(part)
  const input = `${encode(text(header))}.${encode(text(payload))}`
  const signature = createSign('sha256')
    .update(input)
    .sign({ key: key.privateKey, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}

/** A token with a right header. */
export function signToken(key: HubKey, payload: object | string = claims()): string {
  return signRaw(key, { alg: 'ES256', typ: clusterTokenType, kid: key.kid }, payload)
}
