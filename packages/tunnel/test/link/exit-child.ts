/**
 * Child of `exit.test.ts`: runs one session to its end and must then exit by itself.
 * @module
 */
import { SallyportError } from '@sallyport/protocol'
import { makeIdentities } from './link-pair.ts'
import { World } from './session-world.ts'

const how = process.argv[2]
const world = new World(await makeIdentities())
const session = world.session()
const { signal } = new AbortController()

if (how === 'start failed') {
  world.onDial = () => Promise.reject(new SallyportError('ERR_RELAY_FORBIDDEN', 'no'))
  await session.start(signal).catch(() => undefined)
} else {
  await session.start(signal)
  const stream = await session.openStream(signal)
  stream.on('error', () => undefined)
  stream.write('x')
  await new Promise((resolve) => stream.once('data', resolve))
  if (how === 'closed in order') {
    stream.end()
    await new Promise((resolve) => stream.once('close', resolve))
  }
  if (how === 'agent gone') {
    world.onCredential = () => Promise.reject(new SallyportError('ERR_FORBIDDEN', 'no'))
    world.links[0]?.destroy()
    await session.closed
  }
  await session.close()
}
process.send?.('done')
process.disconnect?.()
