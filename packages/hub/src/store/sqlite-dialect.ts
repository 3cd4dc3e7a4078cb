/**
 * Kysely on `node:sqlite`: one connection that writes, one that reads, so that a read never sees half a transaction.
 * @module
 */
import {
  SqliteAdapter,
  SqliteDialect,
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  type QueryResult,
} from 'kysely'
import { limits } from '@sallyport/protocol'
import { SqliteHandle } from './sqlite-handle.ts'
import { WriteQueue } from './write-queue.ts'

/** The handles all connections of one store share. */
interface Handles {
  writer: SqliteHandle
  reader: SqliteHandle
  queue: WriteQueue
}

/** An open SQLite file, and the dialects Kysely works on it with. */
export class SqliteFile {
  readonly #handles: Handles

  private constructor(handles: Handles) {
    this.#handles = handles
  }

  /** Opens the file. @throws SallyportError ERR_STORE_CORRUPT, ERR_STORE_FULL, ERR_STORE_LOCKED. */
  static open(path: string): SqliteFile {
    // The writer comes first: it makes the log the reader needs.
    const writer = SqliteHandle.open(path, 'write')
    const queue = new WriteQueue({
      waiting: limits.storeWaitingWrites,
      timeoutMs: limits.storeWaitMs,
    })
    return new SqliteFile({ writer, reader: SqliteHandle.open(path, 'read'), queue })
  }

  /** A dialect whose commits survive a power cut (`durable`) or only the death of the process. */
  dialect(durable: boolean): SqliteDialect {
    return new NodeSqliteDialect(this.#handles, durable)
  }

  /** Lets the transaction at work end, refuses those that wait, and closes the file. */
  async close(): Promise<void> {
    await this.#handles.queue.close()
    this.#handles.reader.close()
    // Last one out merges the log into the file.
    this.#handles.writer.close()
  }
}

/** Connections are not pooled by Kysely: reads and writes are told apart by the driver. */
class NodeSqliteAdapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true
  }
}

/** SQLite dialect over `node:sqlite`; SQL compiler and introspector are Kysely's own. */
class NodeSqliteDialect extends SqliteDialect {
  readonly #handles: Handles
  readonly #durable: boolean

  constructor(handles: Handles, durable: boolean) {
    super({ database: () => Promise.reject(new TypeError('the file is open already')) })
    this.#handles = handles
    this.#durable = durable
  }

  override createAdapter(): SqliteAdapter {
    return new NodeSqliteAdapter()
  }

  override createDriver(): Driver {
    return new NodeSqliteDriver(this.#handles, this.#durable)
  }
}

class NodeSqliteDriver implements Driver {
  readonly #handles: Handles
  readonly #durable: boolean

  constructor(handles: Handles, durable: boolean) {
    this.#handles = handles
    this.#durable = durable
  }

  init(): Promise<void> {
    return Promise.resolve()
  }

  acquireConnection(): Promise<NodeSqliteConnection> {
    return Promise.resolve(new NodeSqliteConnection(this.#handles))
  }

  async beginTransaction(connection: NodeSqliteConnection): Promise<void> {
    await connection.begin(this.#durable)
  }

  commitTransaction(connection: NodeSqliteConnection): Promise<void> {
    connection.commit()
    return Promise.resolve()
  }

  rollbackTransaction(connection: NodeSqliteConnection): Promise<void> {
    connection.rollback()
    return Promise.resolve()
  }

  releaseConnection(connection: NodeSqliteConnection): Promise<void> {
    connection.end()
    return Promise.resolve()
  }

  destroy(): Promise<void> {
    return Promise.resolve()
  }
}

class NodeSqliteConnection implements DatabaseConnection {
  readonly #handles: Handles
  #inTransaction = false

  constructor(handles: Handles) {
    this.#handles = handles
  }

  async begin(durable: boolean): Promise<void> {
    await this.#handles.queue.acquire()
    try {
      this.#handles.writer.syncCommits(durable)
      this.#handles.writer.exec('BEGIN IMMEDIATE')
      this.#inTransaction = true
    } catch (error) {
      this.#handles.queue.release()
      throw error
    }
  }

  commit(): void {
    this.#handles.writer.exec('COMMIT')
  }

  rollback(): void {
    this.#handles.writer.rollback()
  }

  /** Ends the turn of a transaction, also one whose COMMIT failed. */
  end(): void {
    if (!this.#inTransaction) return
    this.#inTransaction = false
    try {
      this.#handles.writer.rollback()
    } finally {
      this.#handles.queue.release()
    }
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const { writer, reader, queue } = this.#handles
    if (this.#inTransaction) return writer.run<R>(query)
    if (query.query.kind === 'SelectQueryNode') return reader.run<R>(query)
    await queue.acquire()
    try {
      writer.syncCommits(true)
      return writer.run<R>(query)
    } finally {
      queue.release()
    }
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the interface asks for an async iterator; SQLite answers at once
  async *streamQuery<R>(query: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    yield this.#inTransaction
      ? this.#handles.writer.run<R>(query)
      : this.#handles.reader.run<R>(query)
  }
}
