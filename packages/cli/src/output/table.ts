/**
 * Tables: upper-case headers, two spaces, no borders; truncated only on a terminal.
 * @module
 */
import { escapeLine } from './escape.ts'
import { inline, isObject, type JsonObject } from './value.ts'

/** One column: its header and the text of a row. */
export interface Column {
  header: string
  text: (row: JsonObject) => string
}

/** A column that shows one property. */
export function column(header: string, property: string): Column {
  return { header, text: (row) => inline(row[property]) }
}

/** Columns for rows nobody described: their simple properties in order of appearance. */
function columnsOf(rows: JsonObject[]): Column[] {
  const names = new Set<string>()
  for (const row of rows) {
    for (const [name, value] of Object.entries(row)) {
      if (typeof value !== 'object') names.add(name)
    }
  }
  return [...names].map((name) => column(headerOf(name), name))
}

const headerOf = (name: string) => name.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase()

function asRows(value: unknown): JsonObject[] {
  if (value === null || value === undefined) return []
  const list: unknown[] = Array.isArray(value) ? value : [value]
  return list.map((item) => {
    if (isObject(item)) return item
    if (!Array.isArray(item)) return { result: item }
    return Object.fromEntries(item.map((cell, index) => [`column${index + 1}`, cell as unknown]))
  })
}

/** Width in cells, near enough for names: wide East Asian characters and emoji count two. */
function width(text: string): number {
  let cells = 0
  for (const character of text) {
    cells += /\p{M}/u.test(character) ? 0 : isWide(character) ? 2 : 1
  }
  return cells
}

const isWide = (character: string) =>
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Extended_Pictographic}/u.test(
    character,
  ) && character !== '\u00a9'

function fit(text: string, columns: number | undefined, ellipsis: string): string {
  if (columns === undefined || width(text) <= columns) return text
  let cut = ''
  for (const character of text) {
    if (width(cut + character) > columns - width(ellipsis)) break
    cut += character
  }
  return cut + ellipsis
}

/** Renders rows; `columns` are used unless a query changed the rows. `width` truncates lines, absent: never. */
export function renderTable(
  value: unknown,
  options: { columns: Column[] | undefined; width: number | undefined; ellipsis: string },
): string {
  const rows = asRows(value)
  const columns = options.columns ?? columnsOf(rows)
  if (columns.length === 0 || (rows.length === 0 && options.columns === undefined)) return ''
  const cells = rows.map((row) => columns.map(({ text }) => escapeLine(text(row))))
  const lines = [columns.map(({ header }) => header), ...cells]
  const widths = columns.map((_column, index) =>
    Math.max(...lines.map((line) => width(line[index] ?? ''))),
  )
  return lines
    .map((line) => {
      const padded = line.map((cell, index) => {
        const rest = (widths[index] ?? 0) - width(cell)
        return index === line.length - 1 ? cell : cell + ' '.repeat(rest)
      })
      return `${fit(padded.join('  ').trimEnd(), options.width, options.ellipsis)}\n`
    })
    .join('')
}
