/**
 * The one way outside data becomes typed: compile a schema once, parse or refuse.
 * @module
 */
import type { Static, TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { SallyportError } from './error.ts'
import type { ErrorCode } from './error-codes.ts'

/** Checks unknown data; returns it typed or throws. */
export type Parser<T> = (data: unknown) => T

/**
 * Compiles `schema` into a parser. Values are checked, never coerced, defaulted or stripped.
 * @throws SallyportError with `code`, naming `what` and the first wrong field, never its value.
 */
export function parser<T extends TSchema>(
  schema: T,
  what: string,
  code: ErrorCode = 'ERR_ARM_INVALID_REQUEST',
): Parser<Static<T>> {
  const compiled = Compile(schema)
  return (data) => {
    if (compiled.Check(data)) return data
    const [first] = compiled.Errors(data)
    const path = first === undefined ? '' : first.instancePath.slice(1).replaceAll('/', '.')
    const detail = first === undefined ? 'is not of the expected shape' : first.message
    throw new SallyportError(code, `${what}: ${path === '' ? 'it' : `'${path}'`} ${detail}`, {
      ...(path === '' ? {} : { target: path }),
    })
  }
}

/** As `parser`, for JSON text; malformed JSON is refused with the same code. */
export function jsonParser<T extends TSchema>(
  schema: T,
  what: string,
  code: ErrorCode = 'ERR_ARM_INVALID_REQUEST',
): (text: string) => Static<T> {
  const parse = parser(schema, what, code)
  return (text) => {
    let data: unknown
    try {
      data = JSON.parse(text)
    } catch (cause) {
      throw new SallyportError(code, `${what}: this is not JSON`, { cause })
    }
    return parse(data)
  }
}
