/**
 * The agent's state directory: private, every file written whole or not at all.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { jsonParser, SallyportError } from '@sallyport/protocol'
import type { Static, TSchema } from 'typebox'

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined
}

function inaccessible(path: string, cause: unknown): SallyportError {
  const why = codeOf(cause)
  return new SallyportError('ERR_FILE_ACCESS', `${path} cannot be used`, {
    cause,
    ...(why === undefined ? {} : { why }),
  })
}

/** Makes the directory (0700) when it is missing. @throws SallyportError ERR_FILE_ACCESS. */
export async function ensureStateDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    if ((await stat(directory)).isDirectory()) return
  } catch (cause) {
    throw inaccessible(directory, cause)
  }
  throw inaccessible(directory, new Error('it is not a directory'))
}

/** Reads a state file; undefined when there is none. @throws SallyportError ERR_STATE_INVALID, ERR_FILE_ACCESS. */
export async function readStateFile<T extends TSchema>(
  directory: string,
  name: string,
  schema: T,
): Promise<Static<T> | undefined> {
  const path = join(directory, name)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return undefined
    throw inaccessible(path, cause)
  }
  return jsonParser(schema, path, 'ERR_STATE_INVALID')(text)
}

/** Writes a state file (0600): temporary file, fsync, rename, fsync of the directory. @throws SallyportError ERR_FILE_ACCESS. */
export async function writeStateFile(directory: string, name: string, data: object): Promise<void> {
  const path = join(directory, name)
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(`${JSON.stringify(data, null, 2)}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
    const folder = await open(directory, 'r')
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined)
    throw inaccessible(path, cause)
  }
}

/** Removes a state file; nothing happens when there is none. @throws SallyportError ERR_FILE_ACCESS. */
export async function removeStateFile(directory: string, name: string): Promise<void> {
  const path = join(directory, name)
  try {
    await rm(path, { force: true })
  } catch (cause) {
    throw inaccessible(path, cause)
  }
}
