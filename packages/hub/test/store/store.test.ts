/**
 * The SQLite store: the contract, and what only a file can suffer.
 * @module
 */
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { sql, type Kysely } from 'kysely'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Database } from '../../src/store/database.ts'
import { migrations } from '../../src/store/migrations/index.ts'
import { openStore } from '../../src/store/store.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { storeContract } from './store-contract.ts'

storeContract('SQLite', async () => {
  const directory = temporaryDirectory()
  let store = await openStore({ directory: directory.path })
  return {
    store,
    reopen: async () => {
      store = await openStore({ directory: directory.path })
      return store
    },
    [Symbol.asyncDispose]: async () => {
      await store.close()
      directory[Symbol.dispose]()
    },
  }
})

describe('openStore', () => {
  let directory: ReturnType<typeof temporaryDirectory>
  let file: string
  beforeEach(() => {
    directory = temporaryDirectory()
    file = join(directory.path, 'hub.db')
  })
  afterEach(() => {
    directory[Symbol.dispose]()
  })

  const makeStore = async (): Promise<void> => {
    const store = await openStore({ directory: directory.path })
    await store.close()
  }

  const refusal = async (): Promise<unknown> =>
    openStore({ directory: directory.path }).then(
      async (store) => {
        await store.close()
        return 'opened'
      },
      (error: unknown) => (error as { code?: unknown }).code,
    )

  test('makes directory and files for the owner alone', async () => {
    const path = join(directory.path, 'a', 'b')
    const store = await openStore({ directory: path })
    expect(statSync(path).mode & 0o777).toBe(0o700)
    const files = readdirSync(path).filter((name) => name.startsWith('hub.'))
    expect(files).toContain('hub.db-wal')
    for (const name of files) expect(statSync(join(path, name)).mode & 0o777).toBe(0o600)
    await store.close()
  })

  test('runs every migration once, with WAL and a sync on every commit', async () => {
    await makeStore()
    await makeStore()
    const store = await openStore({ directory: directory.path })
    const rows = await store.db.selectFrom('schema_versions').select('version').execute()
    expect(rows.map((row) => row.version)).toEqual(migrations.map((step) => step.version))
    expect(migrations.map((step) => step.version)).toEqual(migrations.map((_, index) => index + 1))
    await store.close()
    const probe = new DatabaseSync(file, { readOnly: true })
    expect(probe.prepare('PRAGMA journal_mode').get()?.['journal_mode']).toBe('wal')
    probe.close()
  })

  test('waits for the disk at every commit but those that say otherwise', async () => {
    const store = await openStore({ directory: directory.path })
    const level = async (db: Kysely<Database>): Promise<unknown> => {
      const { rows } = await sql<{ synchronous: number }>`PRAGMA synchronous`.execute(db)
      return rows[0]?.synchronous
    }
    const [normal, full] = [1, 2]
    expect(await level(store.db)).toBe(full)
    expect(await store.transaction(level, { durable: false })).toBe(normal)
    expect(await store.transaction(level)).toBe(full)
    await store.transaction(level, { durable: false })
    expect(await level(store.db)).toBe(full)
    await store.close()
  })

  test('refuses a schema it does not know, and leaves it alone', async () => {
    await makeStore()
    const newer = new DatabaseSync(file)
    newer.exec("INSERT INTO schema_versions VALUES (9999, 'future', 1)")
    newer.close()
    const before = readFileSync(file)
    expect(await refusal()).toBe('ERR_STORE_SCHEMA_NEWER')
    expect(readFileSync(file)).toEqual(before)
  })

  test.each<[string, (path: string) => void]>([
    [
      'text',
      (path) => {
        writeFileSync(path, 'this is not a database, it is a letter '.repeat(500))
      },
    ],
    [
      'nothing',
      (path) => {
        truncateSync(path, 0)
      },
    ],
    [
      'half of it',
      (path) => {
        truncateSync(path, Math.floor(statSync(path).size / 8192) * 4096)
      },
    ],
    [
      'zeros over its pages',
      (path) => {
        overwrite(path, 4096, Buffer.alloc(16 * 4096))
      },
    ],
    [
      'zeros over its header',
      (path) => {
        overwrite(path, 0, Buffer.alloc(100))
      },
    ],
    ["another program's database", makeForeign],
  ])('refuses a file that holds %s, and leaves it alone', async (_name, spoil) => {
    await makeStore()
    spoil(file)
    const before = readFileSync(file)
    expect(await refusal()).toBe('ERR_STORE_CORRUPT')
    expect(readFileSync(file)).toEqual(before)
    // The refusal gives the directory free again.
    rmSync(file)
    expect(await refusal()).toBe('opened')
  })

  test('does not put a new file under an old log', async () => {
    await makeStore()
    rmSync(file)
    writeFileSync(`${file}-wal`, 'left over')
    expect(await refusal()).toBe('ERR_STORE_CORRUPT')
  })

  test('starts over after a first start that was cut off', async () => {
    writeFileSync(`${file}.new`, 'half made')
    writeFileSync(`${file}.new-wal`, 'half made')
    expect(await refusal()).toBe('opened')
    expect(existsSync(`${file}.new`)).toBe(false)
  })

  test('lets one hub in at a time', async () => {
    const first = await openStore({ directory: directory.path })
    expect(await refusal()).toBe('ERR_STORE_LOCKED')
    await first.close()
    expect(await refusal()).toBe('opened')
  })

  test('names a directory that cannot be used', async () => {
    writeFileSync(join(directory.path, 'file'), '')
    await expect(openStore({ directory: join(directory.path, 'file') })).rejects.toMatchObject({
      code: 'ERR_FILE_ACCESS',
    })
  })
})

function overwrite(path: string, position: number, bytes: Buffer): void {
  const handle = openSync(path, 'r+')
  writeSync(handle, bytes, 0, bytes.length, position)
  closeSync(handle)
}

function makeForeign(path: string): void {
  rmSync(path)
  const foreign = new DatabaseSync(path)
  foreign.exec('CREATE TABLE recipes (name TEXT)')
  foreign.close()
}
