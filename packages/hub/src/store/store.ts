/**
 * The hub's store: one SQLite file in the data directory, opened safely or refused with the reason.
 * @module
 */
import type { Kysely, Transaction } from 'kysely'
import { Kysely as KyselyBuilder } from 'kysely'
import type { Database } from './database.ts'
import { createStoreFile, inspectStoreFile } from './store-file.ts'
import { prepareDataDirectory } from '../server/data-directory.ts'
import { lockDirectory } from './store-directory.ts'
import { NodeSqliteDialect } from './sqlite-dialect.ts'
import { migrate } from './migrate.ts'
import { migrations } from './migrations/index.ts'

/** Durable state of the hub. Reads never wait for writes; writes run one after another. */
export interface Store {
  db: Kysely<Database>
  /**
   * Runs `f` inside one IMMEDIATE transaction: all of it or nothing. `f` awaits only queries of `trx`, since every other write
   * waits for it.
   */
  transaction<T>(f: (trx: Transaction<Database>) => Promise<T>): Promise<T>
  /** Resolves when the store answers. */
  ping(): Promise<void>
  /** Ends all statements and gives the directory free. */
  close(): Promise<void>
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
    const db = connect(file)
    try {
      await migrate(db, migrations, now)
    } catch (error) {
      await db.destroy()
      throw error
    }
    return asStore(db, lock)
  } catch (error) {
    lock.release()
    throw error
  }
}

function connect(path: string): Kysely<Database> {
  return new KyselyBuilder<Database>({ dialect: new NodeSqliteDialect({ path }) })
}

async function update(path: string, now: () => number): Promise<void> {
  const db = connect(path)
  try {
    await migrate(db, migrations, now)
  } finally {
    await db.destroy()
  }
}

function asStore(db: Kysely<Database>, lock: { release: () => void }): Store {
  return {
    db,
    transaction: (f) => db.transaction().execute(f),
    ping: async () => {
      await db.selectFrom('schema_versions').select('version').limit(1).execute()
    },
    close: async () => {
      try {
        await db.destroy()
      } finally {
        lock.release()
      }
    },
  }
}
