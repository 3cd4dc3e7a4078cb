import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { limits } from '@sallyport/protocol'
import { cookieKeyKind } from '../../src/identity/cookie-keys.ts'
import { RotatingKeys } from '../../src/identity/rotating-keys.ts'
import { loadSigningKey, signingKeyKind } from '../../src/identity/signing-key.ts'
import { writePrivateFile } from '../../src/server/data-directory.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

it('replaces a key by age, accepts the old one for a while, and forgets it', async () => {
  using directory = temporaryDirectory()
  let now = 1_000_000
  const parts = { path: join(directory.path, 'a.json'), kind: signingKeyKind, now: () => now }
  const keys = await RotatingKeys.open(parts)
  const first = keys.current
  expect(await keys.rotateWhenOld()).toBe(false)
  now += limits.signingKeyMaxAgeMs
  expect(await keys.rotateWhenOld()).toBe(true)
  expect(keys.accepted.map(({ kid }) => kid)).toEqual([keys.current.kid, first.kid])
  const again = await RotatingKeys.open(parts)
  expect(again.accepted.map(({ kid }) => kid)).toEqual([keys.current.kid, first.kid])
  now += limits.signingKeyOverlapMs
  expect(again.accepted.map(({ kid }) => kid)).toEqual([keys.current.kid])
})

it('X085 forgets the old key at once when told so', async () => {
  using directory = temporaryDirectory()
  const parts = { path: join(directory.path, 'a.json'), kind: signingKeyKind, now: Date.now }
  const keys = await RotatingKeys.open(parts)
  const first = keys.current
  await keys.rotate('now')
  expect(keys.accepted).toHaveLength(1)
  expect(readFileSync(parts.path, 'utf8')).not.toContain(first.privateJwk.d)
})

it('reads files of one key and lists of cookie keys, and remembers since when', async () => {
  using directory = temporaryDirectory()
  const path = join(directory.path, 'access-token.json')
  const old = await loadSigningKey(path)
  let now = 1_000_000
  expect(
    (await RotatingKeys.open({ path, kind: signingKeyKind, now: () => now })).current.kid,
  ).toBe(old.kid)
  now += limits.signingKeyMaxAgeMs
  const keys = await RotatingKeys.open({ path, kind: signingKeyKind, now: () => now })
  expect(await keys.rotateWhenOld()).toBe(true)
  const list = join(directory.path, 'cookies.json')
  writePrivateFile(list, JSON.stringify(['a'.repeat(43), 'b'.repeat(43)]))
  const cookies = await RotatingKeys.open({ path: list, kind: cookieKeyKind, now: () => now })
  expect(cookies.accepted).toEqual(['a'.repeat(43), 'b'.repeat(43)])
  writePrivateFile(list, '{"keys":[]}')
  await expect(
    RotatingKeys.open({ path: list, kind: cookieKeyKind, now: () => now }),
  ).rejects.toMatchObject({ code: 'ERR_STATE_INVALID' })
})
