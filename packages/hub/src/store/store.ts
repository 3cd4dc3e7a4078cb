/**
 * The hub's store: one SQLite file in the data directory, opened safely or refused with the reason.
 * @module
 */
import type { Kysely, Transaction } from 'kysely'
import { Kysely as KyselyBuilder } from 'kysely'
import type { Database } from './database.ts'
import { createStoreFile, inspectStoreFile } from './store-file.ts'
import { prepareDataDirectory } from '../server/data-directory.ts'
import { lockDirectory, type DirectoryLock } from './store-directory.ts'
import { SqliteFile } from './sqlite-dialect.ts'
import { migrate } from './migrate.ts'
import { migrations } from './migrations/index.ts'

/** Durable state of the hub. Reads never wait for writes; writes run one after another. */
export interface Store {
  db: Kysely<Database>
  /**
   * Runs `f` inside one IMMEDIATE transaction: all of it or nothing. `f` awaits only queries of `trx`, since every other write
   * waits for it.
   */
  transaction<T>(
    f: (trx: Transaction<Database>) => Promise<T>,
    options?: TransactionOptions,
  ): Promise<T>
  /** Resolves when the store answers. */
  ping(): Promise<void>
  /** Lets the transaction at work end, refuses those that wait, and gives the directory free. */
  close(): Promise<void>
}

/** How a transaction ends. */
export interface TransactionOptions {
  /**
   * Whether the commit waits for the disk (default true). False for what is renewed all the time anyway, such as presence: it
   * survives the death of the process, and may be lost by a power cut. The wait stops the whole process, relayed bytes included.
   */
  durable?: boolean
}

/** Where the store lives. `now` is the clock (Unix milliseconds). */
export interface StoreOptions {
  directory: string
  now?: () => number
}

/**
 * Opens `hub.db` in `directory`, making both when absent (0700, 0600), and brings the schema up to date.
 * @throws SallyportError ERR_STORE_LOCKED (another hub uses the directory), ERR_STORE_CORRUPT (the file stays as it is),
 * ERR_STORE_SCHEMA_NEWER, ERR_STORE_FULL, ERR_FILE_ACCESS.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const now = options.now ?? Date.now
  prepareDataDirectory(options.directory)
  const lock = lockDirectory(options.directory)
  try {
    const found = inspectStoreFile(options.directory, migrations.length)
    const file = found ?? (await createStoreFile(options.directory, (path) => update(path, now)))
    const sqlite = SqliteFile.open(file)
    const db = connect(sqlite, true)
    try {
      await migrate(db, migrations, now)
    } catch (error) {
      await sqlite.close()
      throw error
    }
    return asStore(sqlite, db, lock)
  } catch (error) {
    lock.release()
    throw error
  }
}

function connect(sqlite: SqliteFile, durable: boolean): Kysely<Database> {
  return new KyselyBuilder<Database>({ dialect: sqlite.dialect(durable) })
}

async function update(path: string, now: () => number): Promise<void> {
  const sqlite = SqliteFile.open(path)
  try {
    await migrate(connect(sqlite, true), migrations, now)
  } finally {
    await sqlite.close()
  }
}

function asStore(sqlite: SqliteFile, db: Kysely<Database>, lock: DirectoryLock): Store {
  const relaxed = connect(sqlite, false)
  return {
    db,
    transaction: (f, options) =>
      (options?.durable === false ? relaxed : db).transaction().execute(f),
    ping: async () => {
      await db.selectFrom('schema_versions').select('version').limit(1).execute()
    },
    close: async () => {
      try {
        await sqlite.close()
        await Promise.all([db.destroy(), relaxed.destroy()])
      } finally {
        lock.release()
      }
    },
  }
}
