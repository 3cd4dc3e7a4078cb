/**
 * The rewriting of client frames against a slow twin, and abuse.
 * @module
 */
import { describe, expect, test } from 'vitest'
import { FrameRewriter } from '../../src/relay/frame-rewriter.ts'
import { frame } from './raw-client.ts'

/** The slow and obvious twin: the same frames as a server sends them. */
const plain = (payload: Buffer, first = 0x82): Buffer => frame(payload, { first, masked: false })

/** Deterministic numbers in [0, 1). */
function chance(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1664525 + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

function cut(bytes: Buffer, sizes: () => number): Buffer[] {
  const chunks: Buffer[] = []
  for (let at = 0; at < bytes.length;) {
    const size = Math.max(1, sizes())
    // Chunks are rewritten in place: each its own copy, as sockets give them.
    chunks.push(Buffer.from(bytes.subarray(at, at + size)))
    at += size
  }
  return chunks
}

const sizesOfInterest = [0, 1, 2, 31, 32, 33, 125, 126, 127, 511, 512, 513, 4000, 65_535, 65_536]

describe('frames of any size in chunks of any size', () => {
  test.each([1, 2, 3, 5, 7, 13, 64, 1000, 16_384, 65_536])('up to %i bytes a chunk', (most) => {
    const random = chance(most)
    for (let round = 0; round < (most < 8 ? 2 : 20); round++) {
      const payloads = Array.from({ length: 12 }, () => {
        const size = sizesOfInterest[Math.floor(random() * sizesOfInterest.length)] ?? 0
        return Buffer.from(Array.from({ length: size }, () => Math.floor(random() * 256)))
      })
      const firsts = payloads.map(({ length }) =>
        length <= 125 && random() < 0.2 ? 0x89 : random() < 0.3 ? 0x02 : 0x82,
      )
      const input = Buffer.concat(payloads.map((body, at) => frame(body, { first: firsts[at]! })))
      const rewriter = new FrameRewriter()
      const out = cut(input, () => Math.ceil(random() * most)).flatMap((chunk) =>
        rewriter.rewrite(chunk),
      )
      const wanted = Buffer.concat(payloads.map((body, at) => plain(body, firsts[at])))
      expect(Buffer.concat(out).equals(wanted)).toBe(true)
      expect([rewriter.failure, rewriter.atBoundary]).toEqual([undefined, true])
    }
  })
})

test('many tiny frames leave as few chunks: a flood of fragments does not multiply memory', () => {
  const rewriter = new FrameRewriter()
  const flood = Buffer.concat(Array.from({ length: 9000 }, () => frame('x', { first: 0x00 })))
  const out = rewriter.rewrite(flood)
  expect(out.length).toBeLessThan(4)
  expect(Buffer.concat(out).length).toBe(9000 * 3)
})

test('nothing after a close frame passes', () => {
  const rewriter = new FrameRewriter()
  const close = frame(Buffer.from([3, 232]), { first: 0x88 })
  const out = rewriter.rewrite(Buffer.concat([frame('a'), close, frame('b')]))
  expect(Buffer.concat(out)).toEqual(
    Buffer.concat([plain(Buffer.from('a')), plain(Buffer.from([3, 232]), 0x88)]),
  )
  expect(rewriter.closed).toBe(true)
  expect(rewriter.rewrite(frame('c'))).toEqual([])
})

describe('what is no client frame is a failure; what came before it still passes', () => {
  test.each([
    ['an unknown opcode', frame('', { first: 0x83 })],
    ['an unknown control opcode', frame('', { first: 0x8b })],
    ['RSV1', frame('a', { first: 0xc2 })],
    ['RSV2', frame('a', { first: 0xa2 })],
    ['RSV3', frame('a', { first: 0x92 })],
    ['no mask', frame('a', { masked: false })],
    ['a length of 2^63', frame('', { length: 2n ** 63n })],
    ['a length of 2^53', frame('', { length: 2n ** 53n })],
    ['a ping of 126 bytes', frame(Buffer.alloc(126), { first: 0x89 })],
    ['a ping of 16 MiB', frame('', { first: 0x89, length: 2 ** 24 })],
    ['a fragmented ping', frame('', { first: 0x09 })],
  ])('%s', (_what, bytes) => {
    for (const sizes of [() => 1, () => 100]) {
      const rewriter = new FrameRewriter()
      const out = cut(Buffer.concat([frame('ok'), bytes]), sizes).flatMap((chunk) =>
        rewriter.rewrite(chunk),
      )
      expect(Buffer.concat(out)).toEqual(plain(Buffer.from('ok')))
      expect(rewriter.failure).toBeInstanceOf(Error)
    }
  })
})
