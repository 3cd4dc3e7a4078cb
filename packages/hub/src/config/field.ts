/**
 * One configuration field: its schema and everything `--help`, the checks and `docs/configuration.md` need of it.
 * @module
 */
import Type, { type TSchema } from 'typebox'

/** How a field is written as text: one flag value, a number, a switch, or a list (flag repeated, comma in the environment). */
export type FieldKind = 'text' | 'integer' | 'list' | 'secret'

/** Description of one field. */
export interface Field {
  schema: TSchema
  kind: FieldKind
  /** Placeholder in help. */
  placeholder: string
  description: string
  /** Absent: no value unless given. */
  default?: string | number | readonly string[]
  /** Shown instead of the default when that is worked out at start. */
  defaultText?: string
  required?: boolean
}

/** Fields of one program by camelCase name. */
export type Fields = Record<string, Field>

/** Strict object schema over the fields: a name that is not a field is an error (T-CFG-1). */
export function strictSchema(fields: Fields) {
  const properties = Object.fromEntries(
    Object.entries(fields).map(([name, field]) => [name, Type.Optional(field.schema)]),
  )
  return Type.Object(properties, { additionalProperties: false })
}

/** `dataDirectory` → `--data-directory`. */
export function flagName(name: string): string {
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

/** `dataDirectory` → `<prefix>DATA_DIRECTORY`. */
export function environmentName(prefix: string, name: string): string {
  return prefix + name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()
}
