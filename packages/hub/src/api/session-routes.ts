/**
 * `/sallyport/v1/sessions`: one's own for everybody, all others with a role; and the keys of cluster tokens, changed on demand.
 * @module
 */
import type { FastifyRequest } from 'fastify'
import Type from 'typebox'
import { SallyportError, pageSchema } from '@sallyport/protocol'
import type { Action } from '../authorization/actions.ts'
import { authorize } from '../authorization/authorize.ts'
import { createRolePolicy } from '../authorization/policy.ts'
import {
  endSession,
  findSession,
  listSessions,
  type SessionRecord,
} from '../registry/session-records.ts'
import { principalOf, requires } from './access.ts'
import type { Api } from './api-instance.ts'
import type { ApiContext } from './context.ts'
import { pageRequest, toPage } from './paging.ts'
import { queryValue } from './query.ts'

const path = '/sallyport/v1/sessions'
const Params = Type.Object({ sessionId: Type.String({ format: 'uuid' }) })
const SessionSchema = Type.Object({
  sessionId: Type.String(),
  clusterId: Type.String(),
  principalId: Type.String(),
  authenticationMethod: Type.String(),
  createdAt: Type.String(),
  lastIssuedAt: Type.String(),
  endedAt: Type.Optional(Type.String()),
  endedReason: Type.Optional(Type.String()),
})

/** Adds the routes. */
export function registerSessionRoutes(api: Api, context: ApiContext): void {
  const { db } = context.store
  const read = requires('Sallyport/sessions/read', 'anyone')
  api.get(
    path,
    { config: read, schema: { response: { 200: pageSchema(SessionSchema) } } },
    async (request) => {
      const asked = pageRequest(request, 1)
      const cluster = queryValue(request, 'cluster')
      const principalId = queryValue(request, 'principal')?.toLowerCase()
      if (principalId !== principalOf(request).objectId) {
        await demand(context, request, { action: 'Sallyport/sessions/read', scope: cluster ?? '/' })
      }
      const rows = await listSessions(db, {
        clusterKey: cluster?.toLowerCase(),
        principalId,
        after: asked.after?.[0],
        limit: asked.size + 1,
      })
      return toPage(request, {
        publicUrl: context.publicUrl,
        path,
        asked,
        rows,
        keysOf: (row) => [row.session_id],
        render: toSession,
      })
    },
  )
  api.get(
    `${path}/:sessionId`,
    { config: read, schema: { params: Params, response: { 200: SessionSchema } } },
    async (request) => toSession(await reachable(context, request, 'Sallyport/sessions/read')),
  )
  api.delete(
    `${path}/:sessionId`,
    { config: requires('Sallyport/sessions/delete', 'anyone'), schema: { params: Params } },
    async (request, reply) => {
      const { session_id: id } = await reachable(context, request, 'Sallyport/sessions/delete')
      const by = principalOf(request).objectId
      await endSession(context.store, { id, reason: `ended by ${by}`, now: context.now() })
      context.changes.wake()
      return reply.code(204).send()
    },
  )
}

/** The session of the path. @throws SallyportError ERR_ARM_NOT_FOUND, ERR_FORBIDDEN: the same for what is not there and is not his. */
async function reachable(
  context: ApiContext,
  request: FastifyRequest,
  action: Action,
): Promise<SessionRecord> {
  const { sessionId } = request.params as { sessionId: string }
  const found = await findSession(context.store.db, sessionId.toLowerCase())
  if (found?.principal_id === principalOf(request).objectId) return found
  await demand(context, request, { action, scope: found?.resource_id ?? '/' })
  if (found !== undefined) return found
  throw new SallyportError('ERR_ARM_NOT_FOUND', `there is no session '${sessionId}'`)
}

async function demand(
  context: ApiContext,
  request: FastifyRequest,
  question: { action: Action; scope: string },
): Promise<void> {
  const policy = createRolePolicy({ db: context.store.db, now: context.now })
  await authorize(policy, { principal: principalOf(request), ...question })
}

function toSession(row: SessionRecord): Type.Static<typeof SessionSchema> {
  const iso = (ms: number): string => new Date(ms).toISOString()
  return {
    sessionId: row.session_id,
    clusterId: row.resource_id,
    principalId: row.principal_id,
    authenticationMethod: row.auth,
    createdAt: iso(row.created_at),
    lastIssuedAt: iso(row.last_issued_at),
    ...(row.ended_at === null ? {} : { endedAt: iso(row.ended_at) }),
    ...(row.ended_reason === null ? {} : { endedReason: row.ended_reason }),
  }
}
