/**
 * Options and arguments as parsed: unknown until asked for by name and kind.
 * @module
 */
import { SallyportError } from '@sallyport/protocol'

/** Typed access to parsed options and arguments. */
export interface Flags {
  /** Value of an option or argument, undefined when not given. */
  text: (name: string) => string | undefined
  /** As `text`. @throws SallyportError ERR_USAGE when not given. */
  required: (name: string, flag?: string) => string
  /** Values of a variadic option. */
  list: (name: string) => string[] | undefined
  /** Whether a switch is on. */
  on: (name: string) => boolean
  /** A whole number in a range. @throws SallyportError ERR_USAGE. */
  integer: (name: string, range: { min: number; max: number }) => number | undefined
}

/** `--kube-config` is looked up as `kubeConfig`. */
export function propertyOf(long: string): string {
  return long.replaceAll(/-([a-z])/g, (_whole, letter: string) => letter.toUpperCase())
}

/** Wraps parsed values, keyed by long option or argument name. */
export function createFlags(values: Record<string, unknown>): Flags {
  const text = (name: string) => {
    const value = values[propertyOf(name)]
    return typeof value === 'string' ? value : undefined
  }
  return {
    text,
    required: (name, flag = `--${name}`) => {
      const value = text(name)
      if (value !== undefined && value !== '') return value
      throw new SallyportError('ERR_USAGE', `${flag} is required`)
    },
    list: (name) => {
      const value = values[propertyOf(name)]
      return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : undefined
    },
    on: (name) => values[propertyOf(name)] === true,
    integer: (name, { min, max }) => {
      const value = text(name)
      if (value === undefined) return undefined
      const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN
      if (number >= min && number <= max) return number
      throw new SallyportError('ERR_USAGE', `--${name} must be a number from ${min} to ${max}`)
    },
  }
}
