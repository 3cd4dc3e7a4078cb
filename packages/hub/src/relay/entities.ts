/**
 * Which listeners serve which path.
 * @module
 */
import { limits, SallyportError } from '@sallyport/protocol'

/** Listeners by entity path, paths in any case. An entity is there as long as it has a listener. */
export class Entities<L> {
  readonly #byPath = new Map<string, Set<L>>()
  #listeners = 0

  /** Number of entities. */
  get count(): number {
    return this.#byPath.size
  }

  /** Number of listeners of all entities. */
  get listeners(): number {
    return this.#listeners
  }

  /** All listeners. */
  all(): L[] {
    return [...this.#byPath.values()].flatMap((listeners) => [...listeners])
  }

  /** Whether a listener fits. @throws SallyportError ERR_RELAY_LISTENER_LIMIT, ERR_RELAY_BUSY. */
  checkRoom(path: string): void {
    const listeners = this.#byPath.get(path.toLowerCase())
    if (listeners === undefined) {
      if (this.#byPath.size < limits.relayEntities) return
      throw new SallyportError('ERR_RELAY_BUSY', 'the relay is at its limit of entities', {
        retryAfterSeconds: limits.reconnectMaxMs / 1000,
      })
    }
    if (listeners.size < limits.relayListenersPerEntity) return
    throw new SallyportError(
      'ERR_RELAY_LISTENER_LIMIT',
      `this path has ${limits.relayListenersPerEntity} listeners already`,
    )
  }

  /** Adds a listener of an entity. */
  add(path: string, listener: L): void {
    const key = path.toLowerCase()
    const listeners = this.#byPath.get(key) ?? new Set()
    listeners.add(listener)
    this.#byPath.set(key, listeners)
    this.#listeners += 1
  }

  /** Removes it; the last one takes the entity with it. */
  remove(path: string, listener: L): void {
    const key = path.toLowerCase()
    const listeners = this.#byPath.get(key)
    if (listeners?.delete(listener) !== true) return
    this.#listeners -= 1
    if (listeners.size === 0) this.#byPath.delete(key)
  }

  /** Listeners of the entity that is the longest prefix of `path` by whole segments. */
  find(path: string): L[] {
    let key = path.toLowerCase()
    for (;;) {
      const listeners = this.#byPath.get(key)
      if (listeners !== undefined) return [...listeners]
      const at = key.lastIndexOf('/')
      if (at === -1) return []
      key = key.slice(0, at)
    }
  }
}
