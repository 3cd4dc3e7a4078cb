/**
 * A parsed `$filter` as a condition on a table. Only named properties, each compared in the ways it allows; values are parameters.
 * @module
 */
import { sql, type RawBuilder, type SqlBool } from 'kysely'
import { SallyportError } from '@sallyport/protocol'
import type { Filter, FilterValue } from './filter.ts'

/** How one property is compared. Texts without regard to the case of ASCII letters, as Graph does. */
export interface FilterField {
  column: string
  type: 'text' | 'boolean'
}

/** Filterable properties by their lower-case names. */
export type FilterFields = Readonly<Record<string, FilterField>>

/** @throws SallyportError ERR_ARM_INVALID_REQUEST for a property that cannot be filtered, or not this way. */
export function toCondition(filter: Filter, fields: FilterFields): RawBuilder<SqlBool> {
  if ('terms' in filter) {
    const terms = filter.terms.map((term) => toCondition(term, fields))
    return sql<SqlBool>`(${sql.join(terms, filter.op === 'and' ? sql` and ` : sql` or `)})`
  }
  const name = filter.field.toLowerCase()
  const field = Object.hasOwn(fields, name) ? fields[name] : undefined
  if (field === undefined) {
    throw invalid(`cannot ask for '${filter.field}'; it can for ${Object.keys(fields).join(', ')}`)
  }
  const column = sql.ref(field.column)
  if (field.type === 'boolean') {
    const [value] = filter.values
    if (filter.op !== 'eq' || typeof value !== 'boolean') {
      throw invalid(`compares '${filter.field}' by eq with true or false only`)
    }
    return sql<SqlBool>`${column} = ${value ? 1 : 0}`
  }
  const texts = filter.values.map((value) => textOf(value, filter.field))
  if (filter.op === 'startswith') {
    const start = texts[0] ?? ''
    // Characters, not UTF-16 units: the way SQL counts.
    const { length } = Array.from(start)
    return sql<SqlBool>`lower(substr(${column}, 1, ${length})) = lower(${start})`
  }
  return sql<SqlBool>`lower(${column}) in (${sql.join(texts.map((text) => sql`lower(${text})`))})`
}

function textOf(value: FilterValue, field: string): string {
  if (typeof value === 'string') return value
  throw invalid(`compares '${field}' with a text in single quotes`)
}

function invalid(rule: string): SallyportError {
  return new SallyportError('ERR_ARM_INVALID_REQUEST', `'$filter' ${rule}`, { target: '$filter' })
}
