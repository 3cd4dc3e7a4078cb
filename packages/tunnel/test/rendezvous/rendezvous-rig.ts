/**
 * Both ends of a rendezvous on a relay rig.
 * @module
 */
import type { Duplex } from 'node:stream'
import { RendezvousListener, type ListenerState } from '../../src/rendezvous/rendezvous-listener.ts'
import type { RendezvousListenerOptions } from '../../src/rendezvous/rendezvous-listener.ts'
import { dialRendezvous } from '../../src/rendezvous/dial-rendezvous.ts'
import type { DialSettings } from '../../src/rendezvous/dial-socket.ts'
import type { Rendezvous, RendezvousMode } from '../../src/rendezvous/rendezvous.ts'
import type { RelayRig } from '../../../hub/test/relay/relay-rig.ts'

/** A listener, its states, and the rendezvous it took in order. */
export interface TestListener {
  listener: RendezvousListener
  states: ListenerState[]
  next(): Promise<Rendezvous>
  state<S extends ListenerState['state']>(
    state: S,
    count?: number,
  ): Promise<Extract<ListenerState, { state: S }>>
}

/** Dial settings that trust the relay of the rig. */
export function dialOf(rig: RelayRig): DialSettings {
  return rig.ca === undefined ? {} : { ca: rig.ca }
}

/** Starts a listener and waits until it listens, unless told not to. */
export async function startListener(
  rig: RelayRig,
  options: Partial<RendezvousListenerOptions> & { wait?: boolean } = {},
): Promise<TestListener> {
  const { wait = true, ...rest } = options
  const states: ListenerState[] = []
  const arrived: Rendezvous[] = []
  const waiters = new Set<() => void>()
  const changed = (): void => {
    for (const waiter of [...waiters]) waiter()
  }
  const until = <T>(find: () => T | undefined): Promise<T> => {
    const { promise, resolve } = Promise.withResolvers<T>()
    const look = (): void => {
      const found = find()
      if (found === undefined) return
      waiters.delete(look)
      resolve(found)
    }
    waiters.add(look)
    look()
    return promise
  }
  const listener = new RendezvousListener({
    access: () => Promise.resolve(rig.access('listen')),
    dial: dialOf(rig),
    onRendezvous: (rendezvous) => {
      arrived.push(rendezvous)
      changed()
    },
    onState: (state) => {
      states.push(state)
      changed()
    },
    ...rest,
  })
  listener.start()
  const test: TestListener = {
    listener,
    states,
    next: () => until(() => arrived.shift()),
    state: (name, count = 1) =>
      until(() => {
        type Wanted = Extract<ListenerState, { state: typeof name }>
        const all = states.filter((state): state is Wanted => state.state === name)
        return all[count - 1]
      }),
  }
  if (wait) await test.state('listening')
  return test
}

/** A rendezvous from both ends. */
export async function connect(
  rig: RelayRig,
  listener: TestListener,
  options: { modes?: readonly RendezvousMode[]; dial?: DialSettings; path?: string } = {},
): Promise<{ sender: Rendezvous; taken: Rendezvous }> {
  const [sender, taken] = await Promise.all([
    dialRendezvous(rig.access('send', options.path), {
      ...(options.dial ?? dialOf(rig)),
      signal: AbortSignal.timeout(10_000),
      ...(options.modes === undefined ? {} : { modes: options.modes }),
    }),
    listener.next(),
  ])
  return { sender, taken }
}

/** All bytes up to the end of a stream; the other direction stays open, which `for await` would not leave. */
export function readAll(stream: Duplex): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  stream.once('error', reject)
  stream.once('end', () => {
    resolve(Buffer.concat(chunks))
  })
  stream.resume()
  return promise
}

/** The next `length` bytes; more must not have come. */
export async function readBytes(stream: Duplex, length: number): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const chunks: Buffer[] = []
  let have = 0
  const take = (chunk: Buffer): void => {
    chunks.push(chunk)
    have += chunk.length
    if (have >= length) resolve(Buffer.concat(chunks))
  }
  stream.on('data', take).once('error', reject).resume()
  const bytes = await promise
  stream.off('data', take).off('error', reject).pause()
  return bytes
}
