/**
 * Shared access signatures: what passes and what does not.
 * @module
 */
import { expect, test } from 'vitest'
import { coversPath, signSasToken, verifySasToken } from '../../src/rendezvous/sas-token.ts'

const rule = { name: 'rule & name', key: 'secret' }
const check = { keys: [rule], hosts: ['relay.example:8443'], path: 'a/b', nowMs: 1_000_000 }

test('what is signed is found good, with the rule and the expiry', () => {
  const token = signSasToken(rule, 'http://relay.example:8443/a/b', 2000)
  expect(verifySasToken(token, check)).toEqual({ key: rule, expiresAt: 2000 })
})

test('the known answer of an independent implementation', () => {
  // printf 'http%%3A%%2F%%2Fh%%2Fp\n2000' | openssl dgst -sha256 -hmac secret -binary | base64
  expect(signSasToken({ name: 'n', key: 'secret' }, 'http://h/p', 2000)).toBe(
    'SharedAccessSignature sr=http%3A%2F%2Fh%2Fp&sig=WiBrrXh1PuajG5aSECQBlTPMUsME%2Bo6WBnM4WMVSHr0%3D&se=2000&skn=n',
  )
})

test('each changed part is refused', () => {
  const token = signSasToken(rule, 'http://relay.example/a', 2000)
  for (const [from, to] of [
    ['%2Fa&', '%2F&'],
    ['se=2000', 'se=2001'],
    ['se=2000', 'se=1e9'],
    ['sig=', 'sig=A'],
    ['skn=rule', 'skn=Rule'],
    ['&skn=', '&se=2000&skn='],
    ['&skn=', '&x='],
    ['SharedAccessSignature ', ''],
  ] as const) {
    expect(token).toContain(from)
    expect(() => verifySasToken(token.replace(from, to), check)).toThrow(
      expect.objectContaining({ code: 'ERR_RELAY_TOKEN_INVALID' }),
    )
  }
})

test('it ends at its second, not after', () => {
  const token = signSasToken(rule, 'http://relay.example/a', 1000)
  expect(() => verifySasToken(token, check)).toThrow(/not valid/)
  expect(verifySasToken(token, { ...check, nowMs: 999_999 }).expiresAt).toBe(1000)
})

test('ports: dropped is fine, named has to be the one that was dialled', () => {
  const at = (host: string, hosts: string[]): boolean => {
    try {
      verifySasToken(signSasToken(rule, `sb://${host}/`, 2000), { ...check, hosts })
      return true
    } catch {
      return false
    }
  }
  expect(at('RELAY.example', ['relay.example:8443'])).toBe(true)
  expect(at('relay.example:8443', ['relay.example:8443'])).toBe(true)
  expect(at('relay.example:443', ['relay.example'])).toBe(true)
  expect(at('relay.example:8443', ['relay.example'])).toBe(false)
  expect(at('relay.example:443', ['relay.example:8443'])).toBe(false)
  expect(at('user@relay.example', ['relay.example'])).toBe(false)
  expect(at('[::1]:99', ['other', '[::1]:99'])).toBe(true)
  expect(at('example', ['relay.example'])).toBe(false)
})

test('paths are compared by whole segments in any case', () => {
  expect(coversPath('', 'a/b')).toBe(true)
  expect(coversPath('A', 'a/b')).toBe(true)
  expect(coversPath('a/b', 'a/b')).toBe(true)
  expect(coversPath('a/b/c', 'a/b')).toBe(false)
  expect(coversPath('a/', 'a')).toBe(false)
  expect(coversPath('a', 'ab')).toBe(false)
})
