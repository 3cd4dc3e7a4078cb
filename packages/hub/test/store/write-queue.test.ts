/**
 * The order of writes.
 * @module
 */
import { expect, test } from 'vitest'
import { WriteQueue } from '../../src/store/write-queue.ts'

test('gives turns in the order of asking', async () => {
  const queue = new WriteQueue({ waiting: 10, timeoutMs: 1_000 })
  await queue.acquire()
  const order: number[] = []
  const others = [1, 2, 3].map(async (number) => {
    await queue.acquire()
    order.push(number)
    queue.release()
  })
  queue.release()
  await Promise.all(others)
  expect(order).toEqual([1, 2, 3])
})

test('refuses the one too many at once, and the one that waited too long', async () => {
  const queue = new WriteQueue({ waiting: 1, timeoutMs: 20 })
  await queue.acquire()
  const waiting = queue.acquire()
  await expect(queue.acquire()).rejects.toMatchObject({ code: 'ERR_TIMEOUT' })
  await expect(waiting).rejects.toMatchObject({ code: 'ERR_TIMEOUT' })
  queue.release()
  await queue.acquire()
})

test('closed, refuses those who wait and come later, and waits for the one at work', async () => {
  const queue = new WriteQueue({ waiting: 1, timeoutMs: 1_000 })
  await queue.acquire()
  const waiting = expect(queue.acquire()).rejects.toThrow('closed')
  const closing = queue.close()
  await expect(queue.acquire()).rejects.toThrow('closed')
  await waiting
  queue.release()
  await closing
})
