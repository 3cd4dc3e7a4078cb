/**
 * One writer at a time: `<file>.lock`, made with O_EXCL as client-go does for kubeconfigs, so that kubectl waits for us and we for it.
 * @module
 */
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import Type from 'typebox'
import { SallyportError, jsonParser, limits } from '@sallyport/protocol'
import { fileError, systemCode } from './file-error.ts'
import { resolveLink } from './private-file.ts'
import { identify, isRunning } from './process-identity.ts'

const parseOwner = jsonParser(
  Type.Object({ pid: Type.Integer({ minimum: 1 }), started: Type.Optional(Type.String()) }),
  'lock file',
)

const pollMs = 25

/**
 * Runs `work` while holding the lock of `path`. The lock of a process that died is taken over.
 * @throws SallyportError ERR_FILE_LOCKED after `timeoutMs`, ERR_FILE_ACCESS when no lock can be made.
 */
export async function withFileLock<T>(
  path: string,
  options: { signal: AbortSignal; timeoutMs?: number },
  work: () => Promise<T> | T,
): Promise<T> {
  const lock = `${resolveLink(path)}.lock`
  const me = JSON.stringify(identify(process.pid) ?? { pid: process.pid })
  const deadline = performance.now() + (options.timeoutMs ?? limits.fileLockTimeoutMs)
  while (!tryLock(lock, me)) {
    options.signal.throwIfAborted()
    removeIfStale(lock)
    if (performance.now() > deadline) throw locked(path, lock)
    await sleep(pollMs, undefined, { signal: options.signal }).catch(() => undefined)
  }
  try {
    return await work()
  } finally {
    rmSync(lock, { force: true })
  }
}

function tryLock(lock: string, owner: string): boolean {
  try {
    mkdirSync(dirname(lock), { recursive: true, mode: 0o700 })
    const descriptor = openSync(lock, 'wx', 0o600)
    try {
      writeSync(descriptor, owner)
    } catch (error) {
      // A full disk makes the file and not its content: an empty lock would stand for ever.
      rmSync(lock, { force: true })
      throw error
    } finally {
      closeSync(descriptor)
    }
    return true
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false
    throw fileError(lock, 'lock', error)
  }
}

function readOwner(lock: string): string | undefined {
  try {
    return readFileSync(lock, 'utf8')
  } catch {
    return undefined
  }
}

function isDead(owner: string): boolean {
  try {
    return !isRunning(parseOwner(owner))
  } catch {
    // Not ours (kubectl's is empty): nobody knows whether its maker lives.
    return false
  }
}

/** Two may find the same stale lock: only what was seen as stale is removed, a new one is put back. */
function removeIfStale(lock: string): void {
  const owner = readOwner(lock)
  if (owner === undefined || !isDead(owner)) return
  const aside = `${lock}.${randomBytes(4).toString('hex')}`
  try {
    renameSync(lock, aside)
    if (readOwner(aside) !== owner) linkSync(aside, lock)
  } catch {
    // Somebody else was faster.
  } finally {
    rmSync(aside, { force: true })
  }
}

function locked(path: string, lock: string): SallyportError {
  return new SallyportError('ERR_FILE_LOCKED', `${path} is locked by ${holder(lock)}`, {
    why: `${lock} exists`,
    remedy: `wait for the other process; if there is none: rm '${lock}'`,
    target: path,
  })
}

function holder(lock: string): string {
  try {
    return `process ${parseOwner(readOwner(lock) ?? '').pid}`
  } catch {
    return 'another process'
  }
}
