/**
 * A lock between processes that the kernel releases when its holder dies.
 * @module
 */
import { spawn } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ClusterError } from './error.ts'

/** How long and how audibly to wait for a lock. */
export interface LockOptions {
  timeoutMs: number
  signal?: AbortSignal | undefined
  /** Called once when the lock is not free at once. */
  onWait?: () => void
}

/** How long a lock may take before `onWait` says that somebody else holds it, in ms. */
const noticeMs = 500

/**
 * Runs `work` while holding an exclusive lock on `file`. flock(1) holds it until its standard input ends, which is also
 * what happens when this process is killed: there are no stale locks to recognise.
 */
export async function withFileLock<T>(
  file: string,
  options: LockOptions,
  work: () => Promise<T>,
): Promise<T> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const deadline = AbortSignal.timeout(options.timeoutMs)
  const signals = options.signal === undefined ? [deadline] : [deadline, options.signal]
  const waiting = AbortSignal.any(signals)
  const holder = spawn('flock', [file, 'sh', '-c', 'echo held; exec cat >/dev/null'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const notice = setTimeout(() => options.onWait?.(), noticeMs)
  try {
    await new Promise<void>((resolve, reject) => {
      const fail = (why: string): void => {
        const text = `no lock on ${file}: ${why}`
        reject(new ClusterError('ERR_CLUSTER_COMMAND', text))
      }
      holder.stdout.once('data', () => {
        resolve()
      })
      holder.once('error', (error) => {
        fail(error.message)
      })
      holder.once('close', () => {
        fail('flock ended')
      })
      const give = (): void => {
        if (deadline.aborted) fail('another process held it for too long')
        else reject(new ClusterError('ERR_CLUSTER_ABORTED', 'the start was cancelled'))
      }
      if (waiting.aborted) give()
      else waiting.addEventListener('abort', give, { once: true })
    })
    clearTimeout(notice)
    return await work()
  } finally {
    clearTimeout(notice)
    holder.stdin.destroy()
    // While flock itself still waits for the lock it does not look at its input.
    if (holder.exitCode === null) holder.kill('SIGTERM')
  }
}
