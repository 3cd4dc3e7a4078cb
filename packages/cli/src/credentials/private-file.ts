/**
 * Files only their owner may read, written so that a reader sees the old or the new content and never half of it.
 * @module
 */
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  closeSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { SallyportError, limits } from '@sallyport/protocol'
import { fileError, systemCode } from './file-error.ts'

const ownerOnly = 0o600

/**
 * Reads a file of this user; undefined when there is none. Readable by others: closed to them first.
 * @throws SallyportError ERR_FILE_ACCESS when it cannot be read, is too large, or belongs to another user.
 */
export function readPrivateFile(path: string): string | undefined {
  let descriptor: number
  try {
    descriptor = openSync(path, 'r')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw fileError(path, 'read', error)
  }
  try {
    const { uid, mode, size } = fstatSync(descriptor)
    const me = process.getuid?.()
    if (me !== undefined && me !== 0 && uid !== me) {
      throw new SallyportError('ERR_FILE_ACCESS', `${path} belongs to another user (uid ${uid})`, {
        remedy: `give it to yourself or remove it: ls -l '${path}'`,
      })
    }
    if (size > limits.kubeconfigBytes)
      throw new SallyportError('ERR_FILE_ACCESS', `${path} is too large`)
    if ((mode & 0o077) !== 0 && process.platform !== 'win32') chmodSync(path, ownerOnly)
    return readFileSync(descriptor, 'utf8')
  } catch (error) {
    throw error instanceof SallyportError ? error : fileError(path, 'read', error)
  } finally {
    closeSync(descriptor)
  }
}

/**
 * Reads a kubeconfig as it is: its mode is its owner's business. Undefined when there is none.
 * @throws SallyportError ERR_FILE_ACCESS.
 */
export function readOpenFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw fileError(path, 'read', error)
  }
}

/**
 * Writes a file: temporary file beside it, fsync, rename. A symbolic link stays one; an existing file keeps its mode and owner.
 * @throws SallyportError ERR_FILE_ACCESS; the old content is then untouched.
 */
export function writePrivateFile(path: string, text: string): void {
  let temporary: string | undefined
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    const target = resolveLink(path)
    const old = statSync(target, { throwIfNoEntry: false })
    temporary = `${target}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`
    const mode = old === undefined ? ownerOnly : old.mode & 0o777
    writeThrough(temporary, text, mode)
    if (old !== undefined && process.getuid?.() === 0) chownSync(temporary, old.uid, old.gid)
    renameSync(temporary, target)
    temporary = undefined
    syncDirectory(dirname(target))
  } catch (error) {
    if (temporary !== undefined) rmSync(temporary, { force: true })
    throw fileError(path, 'write', error)
  }
}

/** Where a chain of symbolic links ends; the path itself when there is nothing yet. */
export function resolveLink(path: string): string {
  try {
    return realpathSync(path)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return path
    throw error
  }
}

function writeThrough(path: string, text: string, mode: number): void {
  const descriptor = openSync(path, 'wx', mode)
  try {
    const bytes = Buffer.from(text)
    for (let done = 0; done < bytes.length;) done += writeSync(descriptor, bytes, done)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** The rename itself survives a power loss only once the directory is on disk. */
function syncDirectory(path: string): void {
  if (process.platform === 'win32') return
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
