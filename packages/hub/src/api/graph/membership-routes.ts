/**
 * What an object is a member of: `memberOf`, `transitiveMemberOf`, `getMemberObjects`, `getMemberGroups`, `checkMemberGroups`, and
 * `directoryObjects`. Groups are all of the directory's; those of an outside issuer have no object here.
 * @module
 */
import type { FastifyRequest } from 'fastify'
import Type from 'typebox'
import { limits, SallyportError } from '@sallyport/protocol'
import { transitiveGroups } from '../../identity/directory/groups.ts'
import { findPrincipal } from '../../identity/directory/principals.ts'
import { requireUser } from '../../identity/directory/users.ts'
import { principalOf, requires, signedIn } from '../access.ts'
import type { Api } from '../api-instance.ts'
import type { ApiContext } from '../context.ts'
import { closed, Guid, IdParams, idOf } from './graph-context.ts'
import { odataQuery, toGraphPage, type ODataQuery } from './odata-query.ts'
import { renderObjects } from './render.ts'
import { userKey } from './user-routes.ts'

const MemberObjectsSchema = Type.Object(
  { securityEnabledOnly: Type.Optional(Type.Boolean()) },
  closed,
)

const ids = Type.Array(Guid, { minItems: 1, maxItems: limits.graphIdsPerRequest })
const CheckMemberSchema = Type.Object({ groupIds: ids }, closed)
const GetByIdsSchema = Type.Object(
  { ids, types: Type.Optional(Type.Array(Type.String(), { maxItems: 10 })) },
  closed,
)

type FindId = (request: FastifyRequest) => Promise<string>

/** Adds the routes. */
export function registerMembershipRoutes(api: Api, context: ApiContext): void {
  const { db } = context.store
  const pathId = (request: FastifyRequest): string => (request.params as { id: string }).id
  const byId: FindId = async (request) => {
    const found = await findPrincipal(db, idOf(pathId(request)))
    if (found !== undefined) return found.objectId
    throw new SallyportError('ERR_DIRECTORY_NOT_FOUND', 'there is no object with this id')
  }
  const byUser: FindId = async (request) =>
    (await requireUser(db, userKey(pathId(request)))).objectId
  const own: FindId = (request) => Promise.resolve(principalOf(request).objectId)
  const readGroups = requires('Sallyport/directory/groups/read')
  const bases: [string, typeof readGroups, FindId][] = [
    ['/me', signedIn, own],
    ['/users/:id', readGroups, byUser],
    ['/groups/:id', readGroups, byId],
    ['/servicePrincipals/:id', readGroups, byId],
    ['/directoryObjects/:id', readGroups, byId],
  ]
  for (const [base, config, find] of bases) registerBase(api, context, { base, config, find })
  api.get(
    '/directoryObjects/:id',
    { config: readGroups, schema: { params: IdParams } },
    async (request) => {
      const [object] = await renderObjects(db, [await byId(request)])
      return object
    },
  )
  api.post(
    '/directoryObjects/getByIds',
    { config: readGroups, schema: { body: GetByIdsSchema } },
    async (request) => {
      const objects = await renderObjects(db, lowered(request.body.ids))
      const types = request.body.types?.map((type) => `#microsoft.graph.${type}`.toLowerCase())
      const isWanted = (type: unknown): boolean =>
        types === undefined || types.includes(String(type).toLowerCase())
      return { value: objects.filter((object) => isWanted(object['@odata.type'])) }
    },
  )
}

interface Base {
  base: string
  config: ReturnType<typeof requires>
  find: FindId
}

function registerBase(api: Api, context: ApiContext, { base, config, find }: Base): void {
  const { db } = context.store
  const lists = { memberOf: directGroups, transitiveMemberOf: allGroups }
  for (const [name, groupsOf] of Object.entries(lists)) {
    api.get(`${base}/${name}`, { config }, async (request) => {
      const asked = odataQuery(request, { filter: false })
      const groups = await groupsOf(context, await find(request), asked)
      const objects = await renderObjects(db, groups)
      const { publicUrl } = context
      return toGraphPage({ request, publicUrl, set: 'directoryObjects', asked, objects })
    })
  }
  for (const name of ['getMemberObjects', 'getMemberGroups']) {
    api.post(
      `${base}/${name}`,
      { config, schema: { body: MemberObjectsSchema } },
      async (request) => ({ value: await transitiveGroups(db, await find(request)) }),
    )
  }
  api.post(
    `${base}/checkMemberGroups`,
    { config, schema: { body: CheckMemberSchema } },
    async (request) => {
      const groups = new Set(await transitiveGroups(db, await find(request)))
      return { value: lowered(request.body.groupIds).filter((id) => groups.has(id)) }
    },
  )
}

async function directGroups(
  { store }: ApiContext,
  objectId: string,
  { after = '', size }: ODataQuery,
): Promise<string[]> {
  const rows = await store.db
    .selectFrom('group_members')
    .select('group_id')
    .where('member_id', '=', objectId)
    .where('group_id', '>', after)
    .orderBy('group_id')
    .limit(size + 1)
    .execute()
  return rows.map((row) => row.group_id)
}

async function allGroups(
  { store }: ApiContext,
  objectId: string,
  { after = '', size }: ODataQuery,
): Promise<string[]> {
  const groups = await transitiveGroups(store.db, objectId)
  return groups.filter((id) => id > after).slice(0, size + 1)
}

function lowered(list: string[]): string[] {
  return [...new Set(list.map((id) => id.toLowerCase()))]
}
