/**
 * Parsing outside data.
 * @module
 */
import { describe, expect, it } from 'vitest'
import {
  ClusterTokenClaimsSchema,
  ListCredentialRequestSchema,
  jsonParser,
  parser,
} from '@sallyport/protocol'

describe('parser', () => {
  const parse = parser(ListCredentialRequestSchema, 'body')

  it('returns the very value, unknown members included', () => {
    const value = { authenticationMethod: 'AAD', clientProxy: true, extra: 1 }
    expect(parse(value)).toBe(value)
  })

  it('names the first wrong field and never its value', () => {
    const secret = 'super-secret'
    const wrong = () => parse({ authenticationMethod: { a: secret }, clientProxy: true })
    expect(wrong).toThrow(/authenticationMethod/)
    expect(wrong).not.toThrow(new RegExp(secret))
  })

  it('does not coerce', () => {
    expect(() => parse({ authenticationMethod: 'AAD', clientProxy: 'true' })).toThrow(/clientProxy/)
  })

  it.each([
    null,
    undefined,
    1,
    'x',
    [],
    JSON.parse('{"__proto__":{"authenticationMethod":"AAD","clientProxy":true}}'),
  ])('refuses %j', (value: unknown) => {
    expect(() => parse(value)).toThrow()
  })
})

describe('jsonParser', () => {
  it('refuses what is not JSON with the given code', () => {
    const parse = jsonParser(ClusterTokenClaimsSchema, 'token', 'ERR_BIND_REFUSED')
    for (const text of ['', '{', 'null', '[]', '{"iss":1}']) {
      expect(() => parse(text)).toThrow(
        expect.objectContaining({ code: 'ERR_BIND_REFUSED' }) as Error,
      )
    }
  })
})
