/**
 * Keeps the logs of a failed start: its directory is removed, its error still names a file to read.
 * @module
 */
import { cp, mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { cachePath } from './cache-directory.ts'
import type { ClusterState } from './cluster-state.ts'
import { ClusterError } from './error.ts'
import { keptFailureLogs } from './limits.ts'

async function copyLogs(logs: string, kept: string, name: string): Promise<void> {
  await mkdir(kept, { recursive: true, mode: 0o700 })
  await cp(logs, join(kept, name), { recursive: true })
  const names = (await readdir(kept)).sort()
  for (const old of names.slice(0, Math.max(0, names.length - keptFailureLogs)))
    await rm(join(kept, old), { recursive: true, force: true })
}

/** Copies the logs to the user's cache (the newest few are kept) and resolves to the error with the new paths in it. */
export async function keepFailureLogs(state: ClusterState, error: unknown): Promise<unknown> {
  const logs = join(state.directory, 'logs')
  const isNamed = error instanceof ClusterError && error.message.includes(logs)
  if (!state.removeDirectory || !isNamed) return error
  const kept = cachePath('failed')
  const name = `${new Date().toISOString().replaceAll(':', '')}-${state.id}`
  try {
    await copyLogs(logs, kept, name)
  } catch {
    // A full disk must not hide the error that filled it, nor keep anybody from cleaning up.
    return error
  }
  return new ClusterError(error.code, error.message.replaceAll(logs, join(kept, name)), error.cause)
}
