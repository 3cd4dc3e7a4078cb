/**
 * The store file: looked at without touching it, and made in one step so that a half-made one never has its name.
 * @module
 */
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { SallyportError } from '@sallyport/protocol'
import { toStoreError } from './sqlite-errors.ts'

/** `application_id` in the file header (bytes "SALY"): tells the store from any other SQLite file. */
const storeApplicationId = 0x53414c59

/**
 * Checks an existing store read-only: header, every page, schema version.
 * @returns the path of the file, or undefined when there is none yet.
 * @throws SallyportError ERR_STORE_CORRUPT, ERR_STORE_SCHEMA_NEWER.
 */
export function inspectStoreFile(directory: string, newest: number): string | undefined {
  const path = join(directory, 'hub.db')
  if (!existsSync(path)) {
    // A log without its file would be replayed into whatever gets that name next.
    if ((statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0)
      throw corrupt(path, 'the file is gone but its log is there')
    return undefined
  }
  let probe: DatabaseSync | undefined
  try {
    probe = new DatabaseSync(path, { readOnly: true, timeout: 5_000 })
    inspect(probe, path, newest)
  } catch (error) {
    throw toStoreError(error, path)
  } finally {
    probe?.close()
  }
  return path
}

function inspect(probe: DatabaseSync, path: string, newest: number): void {
  if (probe.prepare('PRAGMA application_id').get()?.['application_id'] !== storeApplicationId) {
    throw corrupt(path, 'this is not the store of a hub')
  }
  const [first] = probe.prepare('PRAGMA quick_check(1)').all()
  if (first?.['quick_check'] !== 'ok') throw corrupt(path, 'its pages are damaged')
  const known = "SELECT count(*) AS n FROM sqlite_master WHERE name = 'schema_versions'"
  if (probe.prepare(known).get()?.['n'] !== 1) throw corrupt(path, 'it has no schema version')
  const row = probe.prepare('SELECT max(version) AS version FROM schema_versions').get()
  const version = Number(row?.['version'] ?? 0)
  if (version > newest) {
    throw new SallyportError(
      'ERR_STORE_SCHEMA_NEWER',
      `the store ${path} has schema ${version}; this hub knows schemas up to ${newest}`,
    )
  }
}

function corrupt(path: string, why: string): SallyportError {
  return new SallyportError('ERR_STORE_CORRUPT', `the store ${path} is damaged`, { why })
}

/** Makes a new store under another name with `fill`, then gives it its own: a crash on the way leaves nothing to trip over. */
export async function createStoreFile(
  directory: string,
  fill: (path: string) => Promise<void>,
): Promise<string> {
  const path = join(directory, 'hub.db')
  const draft = `${path}.new`
  try {
    for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(draft + suffix, { force: true })
    // SQLite gives the log files the mode of the main file.
    closeSync(openSync(draft, 'wx', 0o600))
    const database = new DatabaseSync(draft)
    database.exec(`PRAGMA application_id = ${storeApplicationId}`)
    database.close()
    await fill(draft)
    renameSync(draft, path)
    syncDirectory(directory)
  } catch (error) {
    throw toStoreError(error, path)
  }
  return path
}

function syncDirectory(directory: string): void {
  const handle = openSync(directory, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
