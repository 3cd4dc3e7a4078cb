/**
 * `known_clusters`: the key of each cluster's agent as first seen, one line `<hub origin> <cluster id> SHA256:<base64url>`.
 * @module
 */
import { join } from 'node:path'
import { SallyportError } from '@sallyport/protocol'
import { withFileLock } from './file-lock.ts'
import { readPrivateFile, writePrivateFile } from './private-file.ts'

/** Whose key it is. */
export interface ClusterIdentity {
  configDirectory: string
  hubOrigin: string
  /** ARM id in any case. */
  clusterId: string
}

/** A remembered key and where it stands. */
export interface KnownKey {
  keySha256: string
  line: number
}

/** Path of the file in the configuration directory. */
export const knownClustersPath = (configDirectory: string) =>
  join(configDirectory, 'known_clusters')

const keyPattern = /^SHA256:([A-Za-z0-9_-]{43})$/

function parseLine(line: string): { name: string; keySha256: string } | undefined {
  const [origin, id, key, ...rest] = line.trim().split(/\s+/)
  const [, keySha256] = keyPattern.exec(key ?? '') ?? []
  if (origin === undefined || id === undefined || keySha256 === undefined || rest.length > 0)
    return undefined
  return { name: `${origin} ${id}`, keySha256 }
}

const nameOf = (cluster: ClusterIdentity) =>
  `${cluster.hubOrigin} ${cluster.clusterId.toLowerCase()}`

/** The remembered key, undefined at first contact. @throws SallyportError ERR_STATE_INVALID naming the line. */
export function findKnownKey(cluster: ClusterIdentity): KnownKey | undefined {
  const path = knownClustersPath(cluster.configDirectory)
  for (const [index, line] of lines(path).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue
    const parsed = parseLine(line)
    if (parsed === undefined) {
      throw new SallyportError('ERR_STATE_INVALID', `${path}:${index + 1} is not a known cluster`, {
        remedy: `correct or remove line ${index + 1} of ${path}`,
      })
    }
    if (parsed.name === nameOf(cluster)) return { keySha256: parsed.keySha256, line: index + 1 }
  }
  return undefined
}

function lines(path: string): string[] {
  return readPrivateFile(path)?.split('\n') ?? []
}

/** Remembers a key, in the place of an older one of the same cluster. */
export async function rememberKey(
  cluster: ClusterIdentity,
  keySha256: string,
  signal: AbortSignal,
): Promise<void> {
  await rewrite(cluster, signal, (others) => [...others, `${nameOf(cluster)} SHA256:${keySha256}`])
}

/** Forgets the key of a cluster that was deleted. */
export async function forgetKey(cluster: ClusterIdentity, signal: AbortSignal): Promise<void> {
  await rewrite(cluster, signal, (others) => others)
}

async function rewrite(
  cluster: ClusterIdentity,
  signal: AbortSignal,
  change: (others: string[]) => string[],
): Promise<void> {
  const path = knownClustersPath(cluster.configDirectory)
  await withFileLock(path, { signal }, () => {
    const old = lines(path)
    const kept = old.filter((line) => line !== '' && parseLine(line)?.name !== nameOf(cluster))
    const text = change(kept)
      .map((line) => `${line}\n`)
      .join('')
    if (text !== old.join('\n')) writePrivateFile(path, text)
  })
}

/**
 * Compares the key an agent shows with the remembered one.
 * @throws SallyportError ERR_LINK_AGENT_KEY_CHANGED: a block that names both keys, file and line.
 */
export function checkKnownKey(
  cluster: ClusterIdentity & { clusterName: string },
  shown: string,
): 'known' | 'new' {
  const known = findKnownKey(cluster)
  if (known === undefined) return 'new'
  if (known.keySha256 === shown) return 'known'
  throw keyChanged(cluster, known, shown)
}

function keyChanged(
  cluster: ClusterIdentity & { clusterName: string },
  known: KnownKey,
  shown: string,
): SallyportError {
  const path = knownClustersPath(cluster.configDirectory)
  const frame = '@'.repeat(68)
  const message = [
    `the key of the agent of '${cluster.clusterName}' has changed; nothing was sent`,
    frame,
    'Somebody may stand between you and the cluster, or the agent was connected anew.',
    `  known:  SHA256:${known.keySha256}`,
    `  shown:  SHA256:${shown}`,
    `  file:   ${path}:${known.line}`,
    frame,
  ]
  return new SallyportError('ERR_LINK_AGENT_KEY_CHANGED', message.join('\n'), {
    remedy: `ask who connected the cluster for the fingerprint; if it is the shown one: sed -i '${known.line}d' '${path}'`,
    target: path,
  })
}
