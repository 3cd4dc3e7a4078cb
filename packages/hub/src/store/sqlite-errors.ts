/**
 * SQLite's result codes (sqlite.org/rescode.html) as errors of the registry.
 * @module
 */
import { SallyportError, isSallyportError, type ErrorCode } from '@sallyport/protocol'

/** Primary result code → what the caller is told. I/O errors are almost always a full or failing volume. */
const codes = new Map<number, [ErrorCode, string]>([
  [5, ['ERR_STORE_LOCKED', 'the store is in use by another process']],
  [6, ['ERR_STORE_LOCKED', 'the store is in use by another process']],
  [8, ['ERR_STORE_FULL', 'the store cannot be written: its volume is read-only']],
  [10, ['ERR_STORE_FULL', 'the store cannot be written: its volume is full or failing']],
  [11, ['ERR_STORE_CORRUPT', 'the store is damaged']],
  [13, ['ERR_STORE_FULL', 'the store cannot be written: its volume is full']],
  [14, ['ERR_STORE_FULL', 'the store cannot be opened: its volume is full or not accessible']],
  [26, ['ERR_STORE_CORRUPT', 'the store is damaged: this is not a SQLite file']],
])

/** Primary SQLite result code of an error of `node:sqlite`, undefined for any other error. */
export function sqliteResultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined
}

/** The error to throw instead of `error`: one of the registry for known causes, else `error` itself. */
export function toStoreError(error: unknown, path?: string): unknown {
  if (isSallyportError(error)) return error
  if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') {
    return new SallyportError('ERR_STORE_FULL', 'the store cannot be written: its volume is full', {
      cause: error,
    })
  }
  const known = codes.get(sqliteResultCode(error) ?? -1)
  if (known === undefined) return error
  const [code, message] = known
  return new SallyportError(code, path === undefined ? message : `${path}: ${message}`, {
    cause: error,
  })
}
