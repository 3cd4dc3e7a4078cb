import { describe, expect, it, test } from 'vitest'
import {
  claimAt,
  domainOf,
  listClaim,
  textClaim,
  verifiedMail,
} from '../../../src/identity/issuers/claims.ts'
import { outsideObjectId } from '../../../src/identity/issuers/object-id.ts'
import { parseStrictJson } from '../../../src/identity/issuers/strict-json.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const refusal = expect.objectContaining({ code: 'ERR_ISSUER_REFUSED' }) as unknown

describe('X045 JSON with a member twice', () => {
  test.each([
    '{"sub":"a","sub":"b"}',
    '{"groups":[],"x":1,"groups":["system:masters"]}',
    '{"a":{"b":1,"b":2}}',
    '{"a":[{"b":1,"b":2}]}',
    String.raw`{"sub":"a","s\u0075b":"b"}`,
    String.raw`{"a\"":1,"a\"":2}`,
    '{"":1,"":2}',
    '{"__proto__":1,"__proto__":2}',
  ])('is not read: %s', (text) => {
    expect(parseStrictJson(bytes(text))).toBeUndefined()
  })
  test.each(['[]', '"a"', '1', 'null', '', '{"a":1}{"a":1}', '{"a":1,}', '\ufeff{"a":1}'])(
    'nor is what is no object: %s',
    (text) => {
      expect(parseStrictJson(bytes(text))).toBeUndefined()
    },
  )
  test.each([
    '{"a":{"b":1},"c":{"b":1}}',
    '{"a":"b","b":"a:b,{}[]"}',
    String.raw`{"a":"\"a\":1", "b" : [ "a", "a", {"a":[]}, {"a":{}} ]}`,
    '{}',
  ])('other JSON is: %s', (text) => {
    expect(parseStrictJson(bytes(text))).toEqual(JSON.parse(text))
  })
  it('bytes that are no UTF-8 are not', () => {
    expect(parseStrictJson(Buffer.from('{"a":"\xff"}', 'latin1'))).toBeUndefined()
  })
})

describe('claims by name', () => {
  const claims = JSON.parse(
    '{"realm_access":{"roles":["a"]},"https://x.example/groups":["b"],"Groups":["c"],"__proto__":{"d":["e"]}}',
  ) as Record<string, unknown>
  it('are found at a dotted path, the whole name first', () => {
    expect(listClaim(claims, 'realm_access.roles')).toEqual(['a'])
    expect(listClaim(claims, 'https://x.example/groups')).toEqual(['b'])
  })
  it('X044 are own members, never inherited ones', () => {
    for (const name of [
      'constructor',
      'toString',
      'realm_access.constructor',
      'realm_access.roles.length',
    ]) {
      expect(claimAt(claims, name), name).toBeUndefined()
    }
    expect(claimAt({}, '__proto__')).toBeUndefined()
    expect(claimAt({}, '__proto__.toString')).toBeUndefined()
  })
  it('X046 have exactly the configured name', () => {
    expect(listClaim(claims, 'groups')).toEqual([])
    expect(listClaim({ groups: ['a'], Groups: ['system:masters'] }, 'groups')).toEqual(['a'])
  })
  test.each(['admins', 1, true, { 0: 'a' }, ['a', 1], [['a']], [null]])(
    'are lists of texts or refused: %j',
    (value) => {
      expect(() => listClaim({ groups: value }, 'groups')).toThrow(refusal)
    },
  )
  test.each([1, true, {}, [], ['a']])('are texts or refused: %j', (value) => {
    expect(() => textClaim({ name: value }, 'name')).toThrow(refusal)
  })
})

describe('X048 a mail address is verified', () => {
  it('by true', () => {
    expect(verifiedMail({ email: 'a@b.example', email_verified: true }, 'email')).toBe(
      'a@b.example',
    )
  })
  test.each(['true', 'false', 1, 0, 'yes', null, {}, [true], undefined])('not by %j', (value) => {
    expect(verifiedMail({ email: 'a@b.example', email_verified: value }, 'email')).toBeUndefined()
  })
})

describe('X047 the domain of a mail address', () => {
  it('is read of plain ones', () => {
    expect(domainOf('Some.One+x@Corp.Example')).toBe('corp.example')
  })
  test.each([
    'a@evil.example@corp.example',
    '"a@evil.example"@corp.example',
    'a@corp.example.',
    'a@.corp.example',
    'a@cörp.example',
    'a@corp.example\n',
    'a@corp.example@',
    'a b@corp.example',
    '@corp.example',
    'corp.example',
    'a@[127.0.0.1]',
  ])('and of no other: %j', (mail) => {
    expect(domainOf(mail)).toBeUndefined()
  })
})

describe('object ids of people from outside', () => {
  // python3 -c "import uuid; n=uuid.uuid5(uuid.NAMESPACE_URL,'urn:sallyport:outside-identity'); print(uuid.uuid5(n,'https://dex.example\nCiQwOGE4'))"
  it('can be computed beforehand by anybody', () => {
    expect(outsideObjectId('https://dex.example', 'CiQwOGE4')).toBe(
      '0e9798e5-10b3-5fa0-8c16-2a2b4813ed0b',
    )
  })
  it('X049 differ between issuers for one subject', () => {
    expect(outsideObjectId('https://a.example', 's')).not.toBe(
      outsideObjectId('https://b.example', 's'),
    )
  })
  it('X050 differ for a new subject of the same name', () => {
    expect(outsideObjectId('https://a.example', 's1')).not.toBe(
      outsideObjectId('https://a.example', 's2'),
    )
  })
})
