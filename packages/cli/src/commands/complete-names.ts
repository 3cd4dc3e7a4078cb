/**
 * Names for completion: from the hub within a budget a person does not notice, else from the last answer.
 * @module
 */
import { join } from 'node:path'
import Type, { type Static } from 'typebox'
import { listAgentRecords } from '../agents/agent-record.ts'
import { readPrivateFile, writePrivateFile } from '../credentials/private-file.ts'
import { accountName, accountsAt, parseState, readProfile } from '../credentials/profile.ts'
import { listClusters, listGroups } from '../hub/clusters.ts'
import { openHub } from '../hub/session.ts'
import type { CommandContext } from './command.ts'

/** Longer than this nobody waits after pressing Tab. */
const budgetMs = 300
/** Younger answers are not asked for again. */
const freshMs = 10_000
/** Older answers are not shown. */
const staleMs = 5 * 60 * 1000

const CacheSchema = Type.Object({
  version: Type.Literal(1),
  origin: Type.String(),
  at: Type.Number(),
  cluster: Type.Array(Type.String()),
  group: Type.Array(Type.String()),
})
type Cache = Static<typeof CacheSchema>

/** Names of one kind. */
export async function names(
  context: CommandContext,
  source: 'cluster' | 'group' | 'agent' | 'account',
): Promise<string[]> {
  if (source === 'agent')
    return listAgentRecords(context.directories.config).map(({ name }) => name)
  if (source === 'account') {
    const { hubs } = readProfile(context.directories.config)
    return Object.values(hubs).flatMap((hub) => accountsAt(hub).map(accountName))
  }
  const path = join(context.directories.config, 'completion.json')
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(budgetMs)])
  await using hub = await openHub({ ...context, signal })
  const cached = readCache(path, hub.client.origin)
  if (cached !== undefined && Date.now() - cached.at < freshMs) return cached[source]
  try {
    const [clusters, groups] = await Promise.all([listClusters(hub), listGroups(hub)])
    const fresh: Cache = {
      version: 1,
      origin: hub.client.origin,
      at: Date.now(),
      cluster: clusters.map(({ name }) => name),
      group: groups.map(({ name }) => name),
    }
    writePrivateFile(path, JSON.stringify(fresh))
    return fresh[source]
  } catch (error) {
    if (cached !== undefined && Date.now() - cached.at < staleMs) return cached[source]
    throw error
  }
}

function readCache(path: string, origin: string): Cache | undefined {
  try {
    const text = readPrivateFile(path)
    const cache = text === undefined ? undefined : parseState(CacheSchema, path, text)
    return cache?.origin === origin ? cache : undefined
  } catch {
    return undefined
  }
}
