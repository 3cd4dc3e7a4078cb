/**
 * A value that must not be seen: prints as `[redacted]` wherever it is printed.
 * @module
 */
import { inspect } from 'node:util'

const redacted = '[redacted]'

/** Wraps a secret text; only `reveal()` gives it back. */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  /** The secret itself. */
  reveal(): string {
    return this.#value
  }

  toString(): string {
    return redacted
  }

  toJSON(): string {
    return redacted
  }

  [inspect.custom](): string {
    return redacted
  }
}
