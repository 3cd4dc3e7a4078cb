import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { limits } from '@sallyport/protocol'
import type { RelayStats } from '../../src/relay/relay.ts'
import { stopRelay } from '../../src/server/relay-service.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** Milliseconds (of the fake clock) a stop takes with these counts. */
async function stopTime(read: (elapsedMs: number) => Partial<RelayStats>): Promise<number> {
  const start = performance.now()
  const calls: string[] = []
  const idle = { listeners: 0, entities: 0, waiting: 0, rendezvous: 0, bytesUp: 0, bytesDown: 0 }
  const stopped = stopRelay({
    drain: () => calls.push('drain'),
    stats: () => ({ ...idle, ...read(performance.now() - start) }),
    close: () => {
      calls.push('close')
      return Promise.resolve()
    },
  })
  let done = false
  void stopped.then(() => {
    done = true
  })
  while (!(await Promise.resolve(done))) await vi.advanceTimersByTimeAsync(100)
  expect(calls).toEqual(['drain', 'close'])
  return performance.now() - start
}

it('ends at once without connections', async () => {
  expect(await stopTime(() => ({}))).toBeLessThanOrEqual(100)
})

it('cuts idle connections after a quiet time, and carries on as long as bytes flow, up to the deadline', async () => {
  const idle = await stopTime(() => ({ rendezvous: 1, bytesUp: 5 }))
  expect(idle).toBeLessThanOrEqual(limits.relayQuietMs + 200)
  const short = await stopTime((elapsed) => ({
    rendezvous: 1,
    bytesDown: Math.min(elapsed, 3_000),
  }))
  expect(short).toBeGreaterThanOrEqual(3_000)
  expect(short).toBeLessThan(3_000 + 2 * limits.relayQuietMs + 200)
  const busy = await stopTime((elapsed) => ({ rendezvous: 1, bytesUp: elapsed }))
  expect(busy).toBeGreaterThanOrEqual(limits.gracefulStopMs)
  expect(busy).toBeLessThan(limits.gracefulStopMs + limits.relayQuietMs + 200)
})
