/**
 * Where this workspace keeps what outlives a cluster: binaries, tools, state of running clusters.
 * @module
 */
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'

/** A path below the user's cache (XDG base directory specification: a relative XDG_CACHE_HOME is ignored). */
export function cachePath(...parts: string[]): string {
  const configured = process.env['XDG_CACHE_HOME'] ?? ''
  const base = isAbsolute(configured) ? configured : join(homedir(), '.cache')
  return join(base, 'sallyport', 'cluster', ...parts)
}
