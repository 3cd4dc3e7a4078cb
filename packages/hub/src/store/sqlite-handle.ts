/**
 * One open SQLite connection: pragmas, prepared statements kept for reuse, errors of the registry.
 * @module
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { limits } from '@sallyport/protocol'
import type { CompiledQuery, QueryResult } from 'kysely'
import { toStoreError } from './sqlite-errors.ts'

interface Prepared {
  statement: StatementSync
  returnsRows: boolean
}

/** An open connection with its prepared statements. */
export class SqliteHandle {
  readonly #database: DatabaseSync
  readonly #prepared = new Map<string, Prepared>()
  #syncsCommits = false

  private constructor(database: DatabaseSync) {
    this.#database = database
  }

  /** Opens `path`; the writer in WAL mode, the reader unable to write. */
  static open(path: string, use: 'read' | 'write'): SqliteHandle {
    try {
      const database = new DatabaseSync(path, {
        readOnly: use === 'read',
        enableForeignKeyConstraints: true,
        timeout: limits.storeBusyMs,
      })
      if (use === 'write') {
        database.exec('PRAGMA journal_mode = WAL')
        database.exec(`PRAGMA journal_size_limit = ${limits.storeLogBytes}`)
      }
      const handle = new SqliteHandle(database)
      handle.syncCommits(true)
      return handle
    } catch (error) {
      throw toStoreError(error, path)
    }
  }

  /**
   * Whether the next commits wait for the disk. With FULL an acknowledged write survives a power cut; with NORMAL, in WAL mode,
   * it survives the death of the process and reaches the disk with the next commit that waits. Not inside a transaction.
   */
  syncCommits(sync: boolean): void {
    if (sync === this.#syncsCommits) return
    this.exec(`PRAGMA synchronous = ${sync ? 'FULL' : 'NORMAL'}`)
    this.#syncsCommits = sync
  }

  /** Runs SQL without parameters or rows. */
  exec(sql: string): void {
    try {
      this.#database.exec(sql)
    } catch (error) {
      throw toStoreError(error)
    }
  }

  /** Ends an open transaction without its changes; SQLite may have done so itself (disk full). */
  rollback(): void {
    if (this.#database.isTransaction) this.exec('ROLLBACK')
  }

  /** Runs one compiled query. */
  run<R>(query: CompiledQuery): QueryResult<R> {
    try {
      const { statement, returnsRows } = this.#prepare(query.sql)
      const parameters = query.parameters as SQLInputValue[]
      if (returnsRows) return { rows: statement.all(...parameters) as R[] }
      const { changes, lastInsertRowid } = statement.run(...parameters)
      return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) }
    } catch (error) {
      throw toStoreError(error)
    }
  }

  close(): void {
    this.#prepared.clear()
    if (this.#database.isOpen) this.#database.close()
  }

  #prepare(sql: string): Prepared {
    const known = this.#prepared.get(sql)
    if (known !== undefined) return known
    const statement = this.#database.prepare(sql)
    const prepared = { statement, returnsRows: statement.columns().length > 0 }
    const [oldest] = this.#prepared.keys()
    if (this.#prepared.size >= limits.storePreparedStatements && oldest !== undefined) {
      this.#prepared.delete(oldest)
    }
    this.#prepared.set(sql, prepared)
    return prepared
  }
}
