/**
 * One agent for one state directory: a lock file that names its holder and survives `kill -9` of it.
 * @module
 */
import { readFileSync } from 'node:fs'
import { open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { agentStateFiles, SallyportError } from '@sallyport/protocol'

/** A held lock. */
export interface StateLock {
  release(): Promise<void>
}

/** Start time of a process in clock ticks: with the pid it names a process for good; undefined where there is no procfs. */
function startTime(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // proc(5): the command may hold spaces and parentheses; starttime is field 22, the 20th after it.
    return text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')[19]
      ?.trim()
  } catch {
    return undefined
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** Whether the holder written in a lock file still runs. A process of our own pid is one of an earlier container. */
function isHeld(text: string): boolean {
  const [pidText = '', started = ''] = text.trim().split(' ')
  const pid = Number(pidText)
  if (!Number.isSafeInteger(pid) || pid <= 0 || pid === process.pid || !isAlive(pid)) return false
  const now = startTime(pid)
  return now === undefined || started === '' || now === started
}

/**
 * Takes the lock of a state directory.
 * @throws SallyportError ERR_FILE_LOCKED when another agent runs with it, ERR_FILE_ACCESS when it cannot be written.
 */
export async function lockState(directory: string): Promise<StateLock> {
  const path = join(directory, agentStateFiles.lock)
  const mine = `${process.pid} ${startTime(process.pid) ?? ''}\n`
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      const file = await open(path, 'wx', 0o600)
      await file.writeFile(mine)
      await file.close()
      return { release: () => rm(path, { force: true }) }
    } catch (cause) {
      if (!(cause instanceof Error && 'code' in cause && cause.code === 'EEXIST'))
        throw new SallyportError('ERR_FILE_ACCESS', `${path} cannot be written`, { cause })
    }
    const holder = await readFile(path, 'utf8').catch(() => '')
    if (isHeld(holder)) break
    await rm(path, { force: true })
  }
  throw new SallyportError('ERR_FILE_LOCKED', `another agent uses the state directory ${directory}`)
}
