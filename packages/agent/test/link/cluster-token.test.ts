import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { clusterTokenType } from '@sallyport/protocol'
import { createClusterTokenVerifier } from '../../src/link/cluster-token.ts'
import { claims, hash, issuer, makeHubKey, signRaw, signToken } from '../rig/hub-key.ts'

const key = makeHubKey()
const now = 1_790_000_000
const verifierAt = (seconds: number, hubOffsetMs?: number) =>
  createClusterTokenVerifier({
    issuer,
    clusterHash: hash,
    keys: [key.pinned],
    now: () => seconds * 1000,
    hubOffsetMs: () => hubOffsetMs,
  })

/** `ok`, or the code of the refusal. */
async function verdict(token: string, at = now, hubOffsetMs?: number): Promise<string> {
  const verifier = await verifierAt(at, hubOffsetMs)
  try {
    await verifier.verify(token)
    return 'ok'
  } catch (error) {
    if (error instanceof Error && 'code' in error) return String(error.code)
    throw error
  }
}

const at = (change: object = {}): object => claims(change, now)
const header = { alg: 'ES256', typ: clusterTokenType, kid: key.kid }

test('a right token is accepted', async () => {
  const verifier = await verifierAt(now)
  expect(await verifier.verify(signToken(key, at()))).toEqual(at())
})

describe('header', () => {
  test.each(['none', 'None', 'nOnE', 'HS256', 'RS256', 'ES384', '', undefined, 7])(
    'X059 alg %o',
    async (alg) => {
      const token = signRaw(key, { ...header, alg }, at())
      expect(await verdict(token)).toBe('ERR_BIND_REFUSED')
      expect(await verdict(`${token.split('.').slice(0, 2).join('.')}.`)).toBe('ERR_BIND_REFUSED')
    },
  )

  test('X060 HS256 with the public key as secret', async () => {
    const pem: string = key.publicKey.export({ type: 'spki', format: 'pem' })
    const input = signRaw(key, { ...header, alg: 'HS256' }, at())
      .split('.')
      .slice(0, 2)
      .join('.')
    for (const secret of [pem, ` ${pem}`])
      expect(
        await verdict(`${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`),
      ).toBe('ERR_BIND_REFUSED')
  })

  test.each([
    { jwk: key.pinned },
    { jku: 'https://evil/' },
    { x5u: 'https://evil/' },
    { x5c: ['x'] },
    { crit: ['x'], x: 1 },
    { b64: false },
    { zip: 'DEF' },
    { cty: 'JWT' },
    { kid: '../../dev/null' },
    { kid: "' OR 1" },
    { kid: 'k'.repeat(10_240) },
    { kid: 7 },
    { kid: undefined },
    { kid: 'other' },
    { kid: '__proto__' },
    { typ: 'JWT' },
    { typ: 'sallyport-agent+jwt' },
    { typ: undefined },
  ])('X061 X062 %o', async (change) => {
    expect(await verdict(signRaw(key, { ...header, ...change }, at()))).toBe('ERR_BIND_REFUSED')
  })

  test('a key that is not pinned, under a pinned name', async () => {
    expect(await verdict(signToken(makeHubKey(key.kid), at()))).toBe('ERR_BIND_REFUSED')
  })
})

describe('strict JSON', () => {
  const text = JSON.stringify(at())
  test.each([
    ['a repeated member', text.replace('{', '{"oid":"root",')],
    ['a repeated member at the end', text.replace(/\}$/, ',"groups":["system:masters"]}')],
    ['a repeated nested member', text.replace('{"x5t#S256"', '{"x5t#S256":"A","x5t#S256"')],
    ['spaces', text.replace('{', '{ ')],
    ['an escaped name', text.replace('"oid"', String.raw`"\u006fid"`)],
    ['an array', '[]'],
    ['a string', '"x"'],
    ['null', 'null'],
    ['no JSON', 'x'],
    ['a byte order mark', `\ufeff${text}`],
  ])('X045 %s', async (_, payload) => {
    expect(await verdict(signToken(key, payload))).toBe('ERR_BIND_REFUSED')
  })

  test('X028 bytes that are no UTF-8', async () => {
    const token = signToken(key, at({ groups: ['PLACEHOLDER'] }))
    const [first = '', second = ''] = token.split('.')
    const bytes = Buffer.from(
      Buffer.from(second, 'base64url').toString('latin1').replace('PLACEHOLDER', '\xc0\xaf'),
      'latin1',
    )
    expect(await verdict(`${first}.${bytes.toString('base64url')}.AAAA`)).toBe('ERR_BIND_REFUSED')
  })
})

describe('claims', () => {
  test.each([
    { aud: [`urn:sallyport:cluster:${hash}`] },
    { aud: ['evil', `urn:sallyport:cluster:${hash}`] },
    { aud: `urn:sallyport:cluster:${'cd'.repeat(32)}` },
    { aud: `urn:sallyport:cluster:${hash}/` },
    { aud: `urn:sallyport:cluster:${hash.toUpperCase()}` },
    { aud: 'https://hub.example' },
    { aud: undefined },
  ])('X065 T-XCL-1 %o', async (change) => {
    expect(await verdict(signToken(key, at(change)))).toBe('ERR_BIND_REFUSED')
  })

  test.each([`${issuer}/`, issuer.toUpperCase(), `${issuer}x`, '', undefined, [issuer]])(
    'X066 issuer %o',
    async (iss) => {
      expect(await verdict(signToken(key, at({ iss })))).toBe('ERR_BIND_REFUSED')
    },
  )

  test.each([
    { sid: 'x' },
    { sid: undefined },
    { oid: undefined },
    { oid: '' },
    { auth: 'None' },
    { groups: undefined },
    { groups: 'admins' },
    { cnf: {} },
    { cnf: undefined },
    { idtyp: 'robot' },
    { jti: '' },
    { extra: 1 },
  ])('%o', async (change) => {
    expect(await verdict(signToken(key, at(change)))).toBe('ERR_BIND_REFUSED')
  })
})

describe('time', () => {
  test.each([
    [299, 'ok'],
    [301, 'ok'],
    [329, 'ok'],
    [331, 'ERR_BIND_CLOCK_SKEW'],
    [-29, 'ok'],
    [-31, 'ERR_BIND_CLOCK_SKEW'],
    [86_400, 'ERR_BIND_CLOCK_SKEW'],
  ])('X063 %i s after its issue: %s', async (after, expected) => {
    expect(await verdict(signToken(key, at()), now + after)).toBe(expected)
  })

  test('X063 with clocks known to agree an old token is simply refused', async () => {
    expect(await verdict(signToken(key, at()), now + 400, 1_000)).toBe('ERR_BIND_REFUSED')
    expect(await verdict(signToken(key, at()), now + 400, 60_000)).toBe('ERR_BIND_CLOCK_SKEW')
  })

  test('T-JWT-10 a skewed clock is named with both times', async () => {
    const verifier = await verifierAt(now - 3600)
    await expect(verifier.verify(signToken(key, at()))).rejects.toThrow(
      /issued it at 2026-09-21T14:13:20\.000Z[^]*clock of the agent says 2026-09-21T13:13:20\.000Z/,
    )
  })

  test.each([
    { exp: String(now + 300) },
    { exp: now + 0.5 },
    { exp: 1e99 },
    { exp: -1 },
    { exp: undefined },
    { iat: undefined },
    { nbf: undefined },
    { exp: now },
  ])('X063 %o', async (change) => {
    expect(await verdict(signToken(key, at(change)))).toBe('ERR_BIND_REFUSED')
  })

  test('X064 ten minutes are the longest lifetime', async () => {
    expect(await verdict(signToken(key, at({ exp: now + 600 })))).toBe('ok')
    expect(await verdict(signToken(key, at({ exp: now + 601 })))).toBe('ERR_BIND_REFUSED')
    expect(await verdict(signToken(key, at({ exp: now + 86_400 })))).toBe('ERR_BIND_REFUSED')
    expect(await verdict(signToken(key, at({ nbf: now - 400 })))).toBe('ERR_BIND_REFUSED')
  })

  test('T-JWT-10 a clock set back does not revive a token', async () => {
    let seconds = now
    const verifier = await createClusterTokenVerifier({
      issuer,
      clusterHash: hash,
      keys: [key.pinned],
      now: () => seconds * 1000,
    })
    const old = signToken(key, at())
    seconds = now + 1000
    await verifier.verify(signToken(key, claims({}, seconds)))
    seconds = now
    await expect(verifier.verify(old)).rejects.toThrow(/not accepted/)
  })
})

test('X074 every truncation is refused, and so are additions', async () => {
  const token = signToken(key, at())
  const verifier = await verifierAt(now)
  for (let length = 0; length < token.length - 1; length += 7)
    await expect(verifier.verify(token.slice(0, length))).rejects.toThrow(/not accepted/)
  for (const bad of [
    `${token}.x`,
    `${token}=`,
    ` ${token}`,
    token.replaceAll('.', '..'),
    'x'.repeat(17_000),
  ])
    await expect(verifier.verify(bad)).rejects.toThrow(/not accepted/)
})
