/**
 * The feed of changes: nobody sleeps over one, nobody waits for ever, not everybody may wait.
 * @module
 */
import { expect, test } from 'vitest'
import { ChangeFeed } from '../../src/registry/change-feed.ts'

const never = new AbortController().signal
const longMs = 60_000

test('a wake ends every wait', async () => {
  const feed = new ChangeFeed()
  const waits = [feed.wait(never, longMs), feed.wait(never, longMs)]
  expect(feed.waiters).toBe(2)
  feed.wake()
  await Promise.all(waits)
  expect(feed.waiters).toBe(0)
})

test('a change between the look at the store and the wait is not slept over', async () => {
  const feed = new ChangeFeed()
  const seen = feed.turn
  feed.wake()
  await feed.wait(never, longMs, seen)
  expect(feed.waiters).toBe(0)
})

test('time and signal end a wait too', async () => {
  const feed = new ChangeFeed()
  await feed.wait(never, 1)
  const stop = new AbortController()
  const wait = feed.wait(stop.signal, longMs)
  stop.abort()
  await wait
  await feed.wait(stop.signal, longMs)
  expect(feed.waiters).toBe(0)
})

test('the number of waiters is bounded', async () => {
  const feed = new ChangeFeed({ waitersMax: 1 })
  const wait = feed.wait(never, longMs)
  await expect(feed.wait(never, longMs)).rejects.toMatchObject({ code: 'ERR_RATE_LIMITED' })
  feed.wake()
  await wait
})

test('closing lets everybody go, for good', async () => {
  const feed = new ChangeFeed()
  const wait = feed.wait(never, longMs)
  feed.close()
  await wait
  await feed.wait(never, longMs)
})
