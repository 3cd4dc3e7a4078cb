/**
 * The data directory is used by one hub at a time.
 * @module
 */
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { SallyportError } from '@sallyport/protocol'
import { systemCode } from '../server/data-directory.ts'
import { sqliteResultCode } from './sqlite-errors.ts'

/** A held lock; gone as soon as the process is, however it ends. */
export interface DirectoryLock {
  release: () => void
}

/**
 * Takes the directory for this process. SQLite's own file lock does it: the kernel drops it when the process dies, so
 * nothing stale is ever left, and unlike a pid file it cannot name a stranger.
 * @throws SallyportError ERR_STORE_LOCKED, ERR_FILE_ACCESS.
 */
export function lockDirectory(directory: string): DirectoryLock {
  let lock: DatabaseSync | undefined
  try {
    lock = new DatabaseSync(join(directory, 'hub.lock'), { timeout: 0 })
    chmodSync(join(directory, 'hub.lock'), 0o600)
    lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (cause) {
    lock?.close()
    if (sqliteResultCode(cause) === 5) {
      throw new SallyportError(
        'ERR_STORE_LOCKED',
        `another hub uses the data directory ${directory}`,
      )
    }
    throw new SallyportError(
      'ERR_FILE_ACCESS',
      `the data directory ${directory} cannot be locked`,
      {
        cause,
        why: systemCode(cause) ?? 'unknown error',
      },
    )
  }
  const held = lock
  return {
    release: () => {
      if (held.isOpen) held.close()
    },
  }
}
