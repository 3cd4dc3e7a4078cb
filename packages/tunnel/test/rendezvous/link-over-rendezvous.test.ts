/**
 * The link works on what a rendezvous hands out, in every mode; on a raw one its TLS stays in C++.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { connect as connectTls, TLSSocket } from 'node:tls'
import { afterEach, expect, test } from 'vitest'
import { startRelay } from '../../../hub/test/relay/relay-rig.ts'
import { linkPair, makeIdentities } from '../link/link-pair.ts'
import { connect, readAll, startListener } from './rendezvous-rig.ts'

const cleanUps: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

async function rendezvous(options: { tls: boolean; mode: 'raw' | 'framed' }) {
  const rig = await startRelay({ tls: options.tls })
  cleanUps.push(() => rig.close())
  const listener = await startListener(rig)
  cleanUps.push(() => listener.listener.close())
  return await connect(rig, listener, { modes: [options.mode] })
}

test.each([
  { tls: false, mode: 'raw' },
  { tls: true, mode: 'raw' },
  { tls: true, mode: 'framed' },
] as const)('streams of a link over %j', async (options) => {
  const { sender, taken } = await rendezvous(options)
  const transport = { client: sender.stream, agent: taken.stream }
  const link = await linkPair(await makeIdentities(), { transport })
  const stream = link.client.openStream()
  const up = randomBytes(5_000_000)
  const down = randomBytes(3_000_000)
  stream.end(up)
  const accepted = await link.nextAccepted()
  expect((await readAll(accepted.stream)).equals(up)).toBe(true)
  accepted.stream.end(down)
  expect((await readAll(stream)).equals(down)).toBe(true)
  await link.client.close()
  await link.agent.closed
})

test('TLS over a raw rendezvous with TLS is nested in C++, not pumped through streams', async () => {
  const { sender, taken } = await rendezvous({ tls: true, mode: 'raw' })
  expect(sender.stream).toBeInstanceOf(TLSSocket)
  const inner = connectTls({ socket: sender.stream, rejectUnauthorized: false })
  inner.on('error', () => undefined)
  const { _handle: handle } = inner as unknown as {
    _handle: { _parent: { constructor: { name: string } } }
  }
  expect(handle._parent.constructor.name).toBe('TLSWrap')
  inner.destroy()
  taken.stream.destroy()
})
