/**
 * `$filter`: what is understood, and that the rest is refused instead of misread.
 * @module
 */
import { describe, expect, test } from 'vitest'
import { limits } from '@sallyport/protocol'
import { parseFilter } from '../../../src/api/graph/filter.ts'

const eq = (field: string, value: string | boolean) => ({ op: 'eq', field, values: [value] })

describe('$filter', () => {
  test.each<[string, unknown]>([
    ["userPrincipalName eq 'a@b.c'", eq('userPrincipalName', 'a@b.c')],
    ["displayName EQ 'O''Neil'", eq('displayName', "O'Neil")],
    ['accountEnabled eq false', eq('accountEnabled', false)],
    [
      "startswith(displayName,'ci (')",
      { op: 'startswith', field: 'displayName', values: ['ci ('] },
    ],
    ["servicePrincipalNames/any(c:c eq 'x')", eq('servicePrincipalNames', 'x')],
    ["id in ('a', 'b')", { op: 'in', field: 'id', values: ['a', 'b'] }],
    [
      "a eq '1' or b eq '2' and (c eq '3' or d eq '4')",
      {
        op: 'or',
        terms: [
          eq('a', '1'),
          { op: 'and', terms: [eq('b', '2'), { op: 'or', terms: [eq('c', '3'), eq('d', '4')] }] },
        ],
      },
    ],
  ])('understands %s', (text, parsed) => {
    expect(parseFilter(text)).toEqual(parsed)
  })

  test.each([
    '',
    'displayName',
    'displayName eq',
    'displayName eq x',
    "displayName eq 'x",
    "displayName eq 'x' 'y'",
    "displayName eq 'x' and",
    "displayName ne 'x'",
    "contains(displayName,'x')",
    "(displayName eq 'x'",
    "displayName eq 'x')",
    'id in ()',
    "x/any(c:d eq 'x')",
    "x/all(c:c eq 'x')",
    "displayName eq 'x'; drop table users",
    'displayName eq "x"',
    `${'('.repeat(limits.graphFilterDepth + 1)}a eq 'b'${')'.repeat(limits.graphFilterDepth + 1)}`,
    Array.from({ length: limits.graphFilterTerms + 1 }, () => "a eq 'b'").join(' or '),
    `a eq '${'x'.repeat(limits.graphFilterLength)}'`,
  ])('refuses %j', (text) => {
    expect(() => parseFilter(text)).toThrow(
      expect.objectContaining({ code: 'ERR_ARM_INVALID_REQUEST', target: '$filter' }) as Error,
    )
  })
})
