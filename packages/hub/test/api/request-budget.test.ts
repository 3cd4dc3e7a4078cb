/**
 * What a principal may spend.
 * @module
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { expect, test } from 'vitest'
import { limits } from '@sallyport/protocol'
import { createRequestBudget } from '../../src/api/request-budget.ts'

test('ends in ERR_RATE_LIMITED with Retry-After, fills again, and is one for each principal', () => {
  let now = 0
  const spend = createRequestBudget(() => now)
  const headers = new Map<string, string>()
  const call = (method: string, objectId: string): void => {
    const request = { method, principal: { objectId } } as FastifyRequest
    const reply = {
      header: (name: string, value: string) => headers.set(name, value),
    } as unknown as FastifyReply
    spend(request, reply)
  }
  for (let index = 0; index < limits.armWritesBurst; index += 1) call('PUT', 'a')
  expect(headers.get('x-ms-ratelimit-remaining-subscription-writes')).toBe('0')
  expect(() => {
    call('DELETE', 'a')
  }).toThrow(expect.objectContaining({ code: 'ERR_RATE_LIMITED', retryAfterSeconds: 1 }) as Error)
  call('PUT', 'b')
  call('GET', 'a')
  expect(headers.get('x-ms-ratelimit-remaining-subscription-reads')).toBe(
    String(limits.armReadsBurst - 1),
  )
  now += 1_000
  call('PUT', 'a')
  expect(headers.get('x-ms-ratelimit-remaining-subscription-writes')).toBe(
    String(limits.armWritesPerSecond - 1),
  )
})
