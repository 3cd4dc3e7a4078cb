import { describe, expect, it } from 'vitest'
import { addressKey, createRateLimit } from '../../src/identity/rate-limit.ts'

describe('rate limit', () => {
  it('lets the limit through, then names the wait, then opens again', () => {
    let now = 1_000
    const limit = createRateLimit({ perMinute: 2, keys: 10, now: () => now })
    expect([limit.take('a'), limit.take('a')]).toEqual([undefined, undefined])
    now += 30_500
    expect(limit.take('a')).toBe(30)
    expect(limit.take('b')).toBeUndefined()
    now += 29_500
    expect(limit.take('a')).toBeUndefined()
  })

  it('remembers no more keys than told', () => {
    const limit = createRateLimit({ perMinute: 1, keys: 2, now: () => 0 })
    for (const key of ['a', 'b', 'c']) expect(limit.take(key)).toBeUndefined()
    expect(limit.take('c')).toBe(60)
    expect(limit.take('a')).toBeUndefined()
  })

  it.each([
    ['10.1.2.3', '10.1.2.3'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::9', '2001:db8:1:2'],
    ['2001:db8::9', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
  ])('counts %s as %s', (address, key) => {
    expect(addressKey(address)).toBe(key)
  })
})
