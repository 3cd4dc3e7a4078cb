/**
 * The data directory: made private, refused when it is not, and the only way its files are written.
 * @module
 */
import { randomBytes } from 'node:crypto'
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { isSallyportError, SallyportError } from '@sallyport/protocol'

/** `code` of a Node system error, or undefined. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined
}

/** A file system error as ours: disk full is ERR_STORE_FULL, the rest ERR_FILE_ACCESS naming the path. */
export function fileError(path: string, what: string, error: unknown): SallyportError {
  if (isSallyportError(error)) return error
  const code = systemCode(error) ?? 'unknown error'
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new SallyportError('ERR_STORE_FULL', `cannot ${what} ${path}: the disk is full`, {
      cause: error,
    })
  }
  const reasons: Record<string, string> = {
    EACCES: 'permission denied',
    EPERM: 'operation not permitted',
    EROFS: 'the file system is read-only',
    ENOTDIR: 'a part of the path is not a directory',
    ENOENT: 'no such file or directory',
    EISDIR: 'this is a directory',
    EEXIST: 'it is not a directory',
  }
  return new SallyportError('ERR_FILE_ACCESS', `cannot ${what} ${path}: ${reasons[code] ?? code}`, {
    cause: error,
  })
}

/**
 * Makes `path` with mode 0700 when it is missing, and checks that it is private and this user's to write. An empty directory
 * others may enter is made private; one with content is refused, since it may be somebody else's.
 * @throws SallyportError ERR_FILE_ACCESS, ERR_STORE_FULL.
 */
export function prepareDataDirectory(path: string): void {
  try {
    makeDirectories(path)
    const { uid, mode } = statSync(path)
    const user = process.getuid?.()
    if (user !== undefined && user !== 0 && uid !== user) {
      throw refused(path, 'it belongs to another user')
    }
    if ((mode & 0o077) !== 0) makePrivate(path, mode)
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    throw fileError(path, 'use the data directory', error)
  }
}

/** Not `recursive`: Node 26 spins for ever where a directory exists but answers ENOENT to a new one (/proc). */
function makeDirectories(path: string): void {
  if (existsSync(path)) return
  makeDirectories(dirname(path))
  mkdirSync(path, { mode: 0o700 })
}

function makePrivate(path: string, mode: number): void {
  if (readdirSync(path).length > 0) {
    const shown = (mode & 0o777).toString(8)
    throw refused(path, `other users may enter it (mode ${shown})`, `run: chmod 700 ${path}`)
  }
  chmodSync(path, 0o700)
}

function refused(path: string, why: string, remedy?: string): SallyportError {
  return new SallyportError('ERR_FILE_ACCESS', `cannot use the data directory ${path}: ${why}`, {
    ...(remedy === undefined ? {} : { remedy }),
  })
}

/**
 * Writes a private file whole: temporary name, mode 0600, fsync, rename, fsync of the directory.
 * A crash leaves the old content or the new, never half.
 * @throws SallyportError ERR_FILE_ACCESS, ERR_STORE_FULL.
 */
export function writePrivateFile(path: string, content: string): void {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    makeDirectories(dirname(path))
    const file = openSync(temporary, 'wx', 0o600)
    try {
      writeSync(file, content)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(temporary, path)
    const directory = openSync(dirname(path), 'r')
    try {
      fsyncSync(directory)
    } finally {
      closeSync(directory)
    }
  } catch (error) {
    rmSync(temporary, { force: true })
    throw fileError(path, 'write', error)
  }
}

/**
 * Reads a private file; undefined when there is none.
 * @throws SallyportError ERR_FILE_ACCESS, also when others can read it: a key others have read is no key.
 */
export function readPrivateFile(path: string): string | undefined {
  try {
    const status = statSync(path, { throwIfNoEntry: false })
    if (status === undefined) return undefined
    if ((status.mode & 0o077) !== 0) {
      throw new SallyportError('ERR_FILE_ACCESS', `cannot use ${path}: others can read it`, {
        remedy: `chmod 600 ${path}, and replace the key if others may have read it`,
      })
    }
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw fileError(path, 'read', error)
  }
}

/** Path inside the data directory. */
export function dataPath(dataDirectory: string, ...parts: string[]): string {
  return join(dataDirectory, ...parts)
}
