/**
 * Errors of the file system in words a person can act on.
 * @module
 */
import { SallyportError } from '@sallyport/protocol'

/** The `code` of a system error, undefined for any other value. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

const reasons: Record<string, string> = {
  EACCES: 'permission denied',
  EREADONLY: 'its mode lets nobody write it',
  EPERM: 'not permitted',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left on the device',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the limit of file sizes is reached',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of the path is not a directory',
  ELOOP: 'too many symbolic links',
  ENAMETOOLONG: 'the name is too long',
  EMFILE: 'too many open files',
}

/** ERR_FILE_ACCESS that names path and reason. */
export function fileError(
  path: string,
  doing: 'read' | 'write' | 'lock',
  error: unknown,
): SallyportError {
  const code = systemCode(error)
  const why = code === undefined ? undefined : (reasons[code] ?? code)
  return new SallyportError('ERR_FILE_ACCESS', `cannot ${doing} ${path}`, {
    cause: error,
    ...(why === undefined ? {} : { why }),
    remedy: `check owner, permissions and free space: ls -ld '${path}'`,
    target: path,
  })
}
