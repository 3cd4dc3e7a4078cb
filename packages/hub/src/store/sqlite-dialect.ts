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

/** Where the file is. */
export interface NodeSqliteOptions {
  path: string
}

/** Connections are not pooled by Kysely: reads and writes are told apart by the driver. */
class NodeSqliteAdapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true
  }
}

/** SQLite dialect over `node:sqlite`; SQL compiler and introspector are Kysely's own. */
export class NodeSqliteDialect extends SqliteDialect {
  readonly #options: NodeSqliteOptions

  constructor(options: NodeSqliteOptions) {
    super({ database: () => Promise.reject(new TypeError('the driver opens the file itself')) })
    this.#options = options
  }

  override createAdapter(): SqliteAdapter {
    return new NodeSqliteAdapter()
  }

  override createDriver(): Driver {
    return new NodeSqliteDriver(this.#options)
  }
}

class NodeSqliteDriver implements Driver {
  readonly #options: NodeSqliteOptions
  readonly #queue = new WriteQueue({
    waiting: limits.storeWaitingWrites,
    timeoutMs: limits.storeWaitMs,
  })
  #writer: SqliteHandle | undefined
  #reader: SqliteHandle | undefined

  constructor(options: NodeSqliteOptions) {
    this.#options = options
  }

  init(): Promise<void> {
    // The writer comes first: it makes the log the reader needs.
    this.#writer = SqliteHandle.open(this.#options.path, 'write')
    this.#reader = SqliteHandle.open(this.#options.path, 'read')
    return Promise.resolve()
  }

  acquireConnection(): Promise<NodeSqliteConnection> {
    const [writer, reader] = [this.#writer, this.#reader]
    if (writer === undefined || reader === undefined) throw new TypeError('the store is closed')
    return Promise.resolve(new NodeSqliteConnection({ writer, reader, queue: this.#queue }))
  }

  async beginTransaction(connection: NodeSqliteConnection): Promise<void> {
    await connection.begin()
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
    this.#reader?.close()
    // Last one out merges the log into the file.
    this.#writer?.close()
    return Promise.resolve()
  }
}

interface Handles {
  writer: SqliteHandle
  reader: SqliteHandle
  queue: WriteQueue
}

class NodeSqliteConnection implements DatabaseConnection {
  readonly #handles: Handles
  #inTransaction = false

  constructor(handles: Handles) {
    this.#handles = handles
  }

  async begin(): Promise<void> {
    await this.#handles.queue.acquire()
    try {
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
