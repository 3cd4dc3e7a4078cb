/**
 * One local connection and one stream of the link, byte for byte, each direction with its own end.
 * @module
 */
import type { Duplex } from 'node:stream'

/** Pipes both ways until both have ended or either broke; then both are gone. Never rejects. */
export async function splice(local: Duplex, remote: Duplex): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  let open = 2
  const closed = (): void => {
    open -= 1
    if (open === 0) resolve(undefined)
  }
  const bind = (one: Duplex, other: Duplex): void => {
    // An error is followed by 'close'; whoever is left must not wait for bytes that never come.
    one.on('error', () => undefined)
    one.once('close', () => {
      if (!one.readableEnded || one.errored !== null) other.destroy()
      closed()
    })
    one.pipe(other)
  }
  bind(local, remote)
  bind(remote, local)
  await promise
}
