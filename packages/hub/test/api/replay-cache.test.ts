/**
 * Assertion ids are used once and forgotten in time.
 * @module
 */
import { expect, test } from 'vitest'
import { limits } from '@sallyport/protocol'
import { ReplayCache } from '../../src/api/replay-cache.ts'

test('takes an id once until it ends, by agent', () => {
  const cache = new ReplayCache()
  const use = (agent: string, now: number): string =>
    cache.use(agent, { jti: 'a', until: now + 10, now })
  expect(use('one', 0)).toBe('fresh')
  expect(use('one', 9)).toBe('used')
  expect(use('two', 9)).toBe('fresh')
  expect(use('one', 10)).toBe('fresh')
})

test('holds a limited number of ids and of agents', () => {
  const cache = new ReplayCache()
  for (let index = 0; index < limits.agentAssertionsPerAgent; index += 1) {
    expect(cache.use('one', { jti: String(index), until: 10, now: 0 })).toBe('fresh')
  }
  expect(cache.use('one', { jti: 'more', until: 10, now: 0 })).toBe('too many')
  for (let index = 0; index < limits.relayEntities; index += 1) {
    cache.use(`agent ${String(index)}`, { jti: 'a', until: 10, now: 0 })
  }
  expect(cache.use('one', { jti: '0', until: 10, now: 0 })).toBe('fresh')
})
