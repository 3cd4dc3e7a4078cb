/**
 * Waiting times between attempts.
 * @module
 */
import { expect, test } from 'vitest'
import { limits } from '@sallyport/protocol'
import { BackOff } from '../../src/rendezvous/back-off.ts'

test('the ceiling doubles from twice the minimum to the maximum', () => {
  const backOff = new BackOff({ minMs: 500, maxMs: 30_000, random: () => 1 })
  const waits = Array.from({ length: 9 }, () => backOff.next())
  expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000, 30_000])
  backOff.reset()
  expect(backOff.next()).toBe(1000)
})

test('all between the minimum and the ceiling is equally likely', () => {
  const backOff = new BackOff({ minMs: 500, maxMs: 30_000, random: () => 0 })
  expect([backOff.next(), backOff.next(), backOff.next()]).toEqual([500, 500, 500])
  const half = new BackOff({ minMs: 500, maxMs: 30_000, random: () => 0.5 })
  expect([half.next(), half.next()]).toEqual([750, 1250])
})

test('Retry-After is a minimum, and has a maximum itself', () => {
  const backOff = new BackOff({ random: () => 0 })
  expect(backOff.next(7000)).toBe(7000)
  expect(backOff.next(1)).toBe(limits.reconnectMinMs)
  expect(backOff.next(10 ** 12)).toBe(limits.reconnectRetryAfterMaxMs)
})

test('ten thousand failures later it still answers', () => {
  const backOff = new BackOff({ random: () => 1 })
  for (let count = 0; count < 10_000; count++) backOff.next()
  expect(backOff.next()).toBe(limits.reconnectMaxMs)
})
