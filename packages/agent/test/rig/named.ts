/**
 * Groups that bindings name, as a test says.
 * @module
 */
import type { SallyportError } from '@sallyport/protocol'
import type { SettledGroups } from '../../src/link/sender.ts'

/** A set of names that can be changed; each change counts, as with real bindings. */
export class Named implements SettledGroups {
  version = 0
  failure: SallyportError | undefined
  readonly #names = new Set<string>()

  constructor(...names: string[]) {
    this.add(...names)
  }

  add(...names: string[]): void {
    for (const name of names) this.#names.add(name)
    this.version++
  }

  remove(name: string): void {
    this.#names.delete(name)
    this.version++
  }

  has(name: string): boolean {
    return this.#names.has(name)
  }

  problem(): SallyportError | undefined {
    return this.failure
  }

  settled(): Promise<void> {
    return Promise.resolve()
  }
}

/** A cluster without bindings. */
export const nothingNamed = new Named()
