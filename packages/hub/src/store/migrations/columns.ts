/**
 * A table as a list of columns: what most migrations need of a schema.
 * @module
 */
import type { ColumnDataType, CreateTableBuilder, Kysely } from 'kysely'

/** `name: type`, NOT NULL unless the type ends in `?`. */
export type Columns = Record<
  string,
  'text' | 'bigint' | 'integer' | 'text?' | 'bigint?' | 'integer?'
>

/** Begins a table; keys and constraints are added to what it returns. */
export function table(
  db: Kysely<unknown>,
  name: string,
  columns: Columns,
): CreateTableBuilder<string, string> {
  let builder = db.schema.createTable(name) as CreateTableBuilder<string, string>
  for (const [column, type] of Object.entries(columns)) {
    const optional = type.endsWith('?')
    const dataType = (optional ? type.slice(0, -1) : type) as ColumnDataType
    builder = builder.addColumn(column, dataType, (c) => (optional ? c : c.notNull()))
  }
  return builder
}
