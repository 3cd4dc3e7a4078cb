import { randomBytes } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import { startRelay, type RelayRig } from '../../../hub/test/relay/relay-rig.ts'
import { connect, readAll, readBytes, startListener } from './rendezvous-rig.ts'

const rigs: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const close of rigs.splice(0).reverse()) await close()
})

async function rigOf(options: { tls: boolean }): Promise<RelayRig> {
  const rig = await startRelay(options)
  rigs.push(() => rig.close())
  return rig
}

describe.each([
  { tls: false, mode: 'raw' },
  { tls: true, mode: 'raw' },
  { tls: false, mode: 'framed' },
  { tls: true, mode: 'framed' },
] as const)('rendezvous, tls $tls, $mode', (variant) => {
  async function pair() {
    const rig = await rigOf(variant)
    const listener = await startListener(rig)
    rigs.push(() => listener.listener.close())
    return { rig, ...(await connect(rig, listener, { modes: [variant.mode] })) }
  }

  test('bytes arrive in both directions, and each end of stream on its own', async () => {
    const { rig, sender, taken } = await pair()
    expect([sender.mode, taken.mode]).toEqual([variant.mode, variant.mode])
    expect(taken.id).toBe(sender.id)
    const up = randomBytes(3_000_000)
    const down = randomBytes(2_000_000)
    sender.stream.end(up)
    expect((await readAll(taken.stream)).equals(up)).toBe(true)
    taken.stream.write(down)
    expect((await readBytes(sender.stream, down.length)).equals(down)).toBe(true)
    taken.stream.end('bye')
    expect((await readAll(sender.stream)).toString()).toBe('bye')
    const closed = await rig.event('rendezvous-closed')
    expect(closed.bytesUp).toBeGreaterThanOrEqual(up.length)
    expect(closed.bytesDown).toBeGreaterThanOrEqual(down.length + 3)
  })
})
