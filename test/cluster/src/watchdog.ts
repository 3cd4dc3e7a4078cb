/**
 * Cleans up at once when the owner of a cluster dies without doing it (SIGKILL, a crash, an unhandled signal).
 * @module
 */
import { spawn } from 'node:child_process'
import { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { programPath } from './program-path.ts'

/** A started watchdog. */
export interface Watchdog {
  dismiss(): void
}

/**
 * Starts a shell that waits for the end of its input, which is the owner's end, and then turns into the sweep. It is in
 * a session of its own, so that signals to the owner's process group do not reach it, and costs 2 MB while it waits.
 */
export function startWatchdog(): Watchdog {
  const script = 'cat >/dev/null; exec "$0" "$@"'
  const sweep = fileURLToPath(new URL('./sweep-main.ts', import.meta.url))
  const child = spawn('sh', ['-c', script, process.execPath, sweep], {
    cwd: '/',
    env: { ...process.env, PATH: programPath(), NODE_OPTIONS: '' },
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  child.on('error', () => {
    // Without it a dead owner's cluster waits for the sweep of the next start.
  })
  child.unref()
  // A pipe is a socket in libuv; the types only know the stream.
  if (child.stdin instanceof Socket) child.stdin.unref()
  return {
    dismiss: () => {
      if (child.pid === undefined || child.exitCode !== null) return
      try {
        process.kill(-child.pid, 'SIGKILL')
      } catch {
        // It has ended already.
      }
    },
  }
}
