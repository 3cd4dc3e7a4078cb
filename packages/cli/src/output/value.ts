/**
 * Reading plain JSON values: what every formatter works on.
 * @module
 */

/** A JSON object. */
export type JsonObject = Record<string, unknown>

/** Whether a value is an object and no array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** One value on one line: text as it is, null as nothing, the rest as compact JSON. */
export function inline(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'string') return value
  return JSON.stringify(value)
}
