/**
 * Tab-separated values for scripts: no header; tab, line break and control characters escaped.
 * @module
 */
import { escapeLine } from './escape.ts'
import { inline, isObject } from './value.ts'

const cell = (value: unknown) =>
  escapeLine(
    inline(value)
      .replaceAll('\\', '\\\\')
      .replaceAll('\t', '\\t')
      .replaceAll('\n', '\\n')
      .replaceAll('\r', '\\r'),
  )

function line(item: unknown): string {
  const cells: unknown[] = isObject(item)
    ? Object.values(item)
    : Array.isArray(item)
      ? item
      : [item]
  return `${cells.map(cell).join('\t')}\n`
}

/** Renders an array as one line for each item, an object as one line of its values, a scalar as itself. */
export function renderTsv(value: unknown): string {
  if (value === null || value === undefined) return ''
  return Array.isArray(value) ? value.map(line).join('') : line(value)
}
