/**
 * Keys that sign the cookies of interactive sign-in.
 * @module
 */
import { randomBytes } from 'node:crypto'
import Type from 'typebox'
import { parser } from '@sallyport/protocol'
import type { KeyKind } from './rotating-keys.ts'

const CookieKey = Type.String({ minLength: 43, maxLength: 128 })

/** 256 random bits each (T-RND-1); an earlier version wrote a bare list. */
export const cookieKeyKind: KeyKind<string, string> = {
  make: () => randomBytes(32).toString('base64url'),
  load: (kept, path) => {
    const key = parser(CookieKey, path, 'ERR_STATE_INVALID')(kept)
    return Promise.resolve({ kept: key, key })
  },
  readOld: (content) => (Array.isArray(content) ? content : undefined),
}
