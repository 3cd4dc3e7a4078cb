/**
 * The feed of an agent: a request that is held until there is news, answered by a signed statement that also renews its lease.
 * @module
 */
import {
  FeedRequestSchema,
  FeedResponseSchema,
  SallyportError,
  agentApiPaths,
  clusterAudience,
  limits,
  type FeedClaims,
  type FeedRequest,
} from '@sallyport/protocol'
import { findAgent, type EnrolledAgent } from '../registry/agents.ts'
import { currentRevision, revocationsAfter, type Revocation } from '../registry/revocations.ts'
import { agentOf, agentOnly } from './access.ts'
import type { Api } from './api-instance.ts'
import type { ApiContext } from './context.ts'

type News = Pick<FeedClaims, 'seq' | 'reset' | 'revocations' | 'assignments' | 'disabledFeatures'>

/** Adds the route. */
export function registerAgentFeed(api: Api, context: ApiContext): void {
  const leaseMs = context.agentLeaseMs ?? limits.feedLeaseMs
  api.post(
    agentApiPaths.feed,
    {
      config: agentOnly,
      schema: { body: FeedRequestSchema, response: { 200: FeedResponseSchema } },
    },
    async (request, reply) => {
      const { body } = request
      const agent = agentOf(request)
      context.keyRotation.heard(body.instance, body.keyIds)
      const gone = new AbortController()
      reply.raw.once('close', () => {
        gone.abort()
      })
      // A third of the lease: one answer may be lost, and the next still comes in time.
      const holdMs = Math.min(limits.feedHoldMs, Math.floor(leaseMs / 3))
      const news = await awaitNews(context, { agent, body, holdMs, signal: gone.signal })
      if (news.seq < (body.after ?? 0)) {
        request.log.warn({ event: 'feed.behind', seq: news.seq, agentKnows: body.after })
      }
      return {
        statement: await context.clusterTokens.signFeed({
          ...news,
          aud: clusterAudience(agent.hash),
          nonce: body.nonce,
          leaseMs,
        }),
        keyStatements: context.clusterTokens.statementsFor(body.keyIds),
      }
    },
  )
}

interface Wait {
  agent: EnrolledAgent
  body: FeedRequest
  holdMs: number
  signal: AbortSignal
}

/** Looks, and looks again at each change, until there is something to tell or the time is over. */
async function awaitNews(context: ApiContext, wait: Wait): Promise<News> {
  const { changes } = context
  const until = performance.now() + wait.holdMs
  for (;;) {
    const { turn } = changes
    const news = await readNews(context, wait)
    const leftMs = until - performance.now()
    if (leftMs <= 0 || changes.closed || wait.signal.aborted) return news
    if (isNews(context, wait.body, news)) return news
    await changes.wait(wait.signal, leftMs, turn)
  }
}

/** @throws SallyportError ERR_AGENT_UNKNOWN when the agent was removed while it waited. */
async function readNews(context: ApiContext, { agent, body }: Wait): Promise<News> {
  const { db } = context.store
  if ((await findAgent(db, agent.agent_id)) === undefined) {
    throw new SallyportError('ERR_AGENT_UNKNOWN', 'this is not an agent of this hub')
  }
  const revocations = body.after === undefined ? undefined : await since(context, body.after)
  return {
    // Without news the number stays: a revocation written a moment ago is told by the next look, not skipped by this one.
    seq: revocations === undefined ? await currentRevision(db) : lastOf(revocations, body),
    reset: revocations === undefined,
    revocations: revocations ?? [],
    assignments: (await context.assignmentsVersion?.(agent.cluster_key)) ?? '0',
    disabledFeatures: (await context.disabledFeatures?.(agent.cluster_key)) ?? [],
  }
}

function lastOf(revocations: Revocation[], { after = 0 }: FeedRequest): number {
  return revocations.at(-1)?.seq ?? after
}

/** A hub restored from a backup counts from an earlier number: what the agent knows is then another history. */
async function since(context: ApiContext, after: number) {
  const { db } = context.store
  return after > (await currentRevision(db)) ? undefined : revocationsAfter(db, after)
}

function isNews(context: ApiContext, body: FeedRequest, news: News): boolean {
  const differs = (told: string[] | undefined, now: string[]): boolean =>
    told !== undefined && told.toSorted().join() !== now.toSorted().join()
  return (
    news.reset ||
    news.revocations.length > 0 ||
    (body.assignments !== undefined && body.assignments !== news.assignments) ||
    differs(body.disabledFeatures, news.disabledFeatures) ||
    differs(
      body.keyIds,
      context.clusterTokens.publicKeys().map(({ kid }) => kid),
    )
  )
}
