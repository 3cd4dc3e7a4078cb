/**
 * `/groups` and who is in them.
 * @module
 */
import type { Transaction } from 'kysely'
import Type from 'typebox'
import { isGuid, SallyportError } from '@sallyport/protocol'
import {
  addMember,
  deleteGroup,
  insertGroup,
  removeMember,
  requireGroup,
  transitiveMembers,
  updateGroup,
} from '../../identity/directory/groups.ts'
import { findPrincipal } from '../../identity/directory/principals.ts'
import type { Database } from '../../store/database.ts'
import { requires } from '../access.ts'
import type { Api } from '../api-instance.ts'
import type { ApiContext } from '../context.ts'
import { change, closed, IdParams, idOf } from './graph-context.ts'
import { listObjects } from './lists.ts'
import { odataQuery, selected, toGraphPage, type ODataQuery } from './odata-query.ts'
import { renderGroup, renderObjects } from './render.ts'

const NewGroupSchema = Type.Object(
  {
    displayName: Type.String(),
    description: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    /** Taken from Graph clients, which must send them; there are security groups only. */
    mailEnabled: Type.Optional(Type.Literal(false)),
    mailNickname: Type.Optional(Type.String()),
    securityEnabled: Type.Optional(Type.Literal(true)),
    groupTypes: Type.Optional(Type.Array(Type.String(), { maxItems: 0 })),
    /** Graph takes at most 20 references in one request. */
    'members@odata.bind': Type.Optional(
      Type.Array(Type.String({ maxLength: 512 }), { maxItems: 20 }),
    ),
  },
  closed,
)

const GroupPatchSchema = Type.Object(
  {
    displayName: Type.Optional(Type.String()),
    description: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  },
  closed,
)

const ReferenceSchema = Type.Object({ '@odata.id': Type.String({ maxLength: 512 }) }, closed)

const read = requires('Sallyport/directory/groups/read')
const write = requires('Sallyport/directory/groups/write')
const writeMembers = requires('Sallyport/directory/groups/members/write')

/** Adds the routes. */
export function registerGroupRoutes(api: Api, context: ApiContext): void {
  const { db } = context.store
  api.get('/groups', { config: read }, (request) =>
    listObjects(context, request, { table: 'directory_groups', set: 'groups' }),
  )
  api.get('/groups/:id', { config: read, schema: { params: IdParams } }, async (request) => {
    const { select } = odataQuery(request, { filter: false })
    return selected(renderGroup(await requireGroup(db, idOf(request.params.id))), select)
  })
  api.post(
    '/groups',
    { config: write, schema: { body: NewGroupSchema } },
    async (request, reply) => {
      const { displayName, description = null } = request.body
      const members = (request.body['members@odata.bind'] ?? []).map(referenced)
      const group = await change(context, async (trx) => {
        const made = await insertGroup(trx, { displayName, description, now: context.now() })
        for (const memberId of members) await addReferenced(trx, made.objectId, memberId)
        return made
      })
      return reply.code(201).send(renderGroup(group))
    },
  )
  api.patch(
    '/groups/:id',
    { config: write, schema: { params: IdParams, body: GroupPatchSchema } },
    async (request, reply) => {
      await change(context, (trx) => updateGroup(trx, idOf(request.params.id), request.body))
      return reply.code(204).send()
    },
  )
  api.delete(
    '/groups/:id',
    { config: requires('Sallyport/directory/groups/delete'), schema: { params: IdParams } },
    async (request, reply) => {
      await change(context, (trx) => deleteGroup(trx, idOf(request.params.id), context.now()))
      return reply.code(204).send()
    },
  )
  registerMemberReads(api, context)
  registerMemberWrites(api, context)
}

function registerMemberReads(api: Api, context: ApiContext): void {
  const { publicUrl } = context
  const lists = { members: directMembers, transitiveMembers: allMembers }
  for (const [name, idsOf] of Object.entries(lists)) {
    api.get(
      `/groups/:id/${name}`,
      { config: read, schema: { params: IdParams } },
      async (request) => {
        const asked = odataQuery(request, { filter: false })
        const { objectId } = await requireGroup(context.store.db, idOf(request.params.id))
        const objects = await renderObjects(context.store.db, await idsOf(context, objectId, asked))
        return toGraphPage({ request, publicUrl, set: 'directoryObjects', asked, objects })
      },
    )
  }
}

async function directMembers(
  { store }: ApiContext,
  groupId: string,
  { after = '', size }: ODataQuery,
): Promise<string[]> {
  const rows = await store.db
    .selectFrom('group_members')
    .select('member_id')
    .where('group_id', '=', groupId)
    .where('member_id', '>', after)
    .orderBy('member_id')
    .limit(size + 1)
    .execute()
  return rows.map((row) => row.member_id)
}

async function allMembers(
  { store }: ApiContext,
  groupId: string,
  { after, size }: ODataQuery,
): Promise<string[]> {
  const members = await transitiveMembers(store.db, groupId, { after, limit: size + 1 })
  return members.map((member) => member.objectId)
}

function registerMemberWrites(api: Api, context: ApiContext): void {
  api.post(
    '/groups/:id/members/$ref',
    { config: writeMembers, schema: { params: IdParams, body: ReferenceSchema } },
    async (request, reply) => {
      const memberId = referenced(request.body['@odata.id'])
      await change(context, (trx) => addReferenced(trx, idOf(request.params.id), memberId))
      return reply.code(204).send()
    },
  )
  api.delete(
    '/groups/:id/members/:memberId/$ref',
    {
      config: writeMembers,
      schema: { params: Type.Object({ id: Type.String(), memberId: Type.String() }) },
    },
    async (request, reply) => {
      const memberId = idOf(request.params.memberId)
      await change(context, (trx) =>
        removeMember(trx, idOf(request.params.id), { memberId, now: context.now() }),
      )
      return reply.code(204).send()
    },
  )
}

async function addReferenced(
  trx: Transaction<Database>,
  groupId: string,
  memberId: string,
): Promise<void> {
  const found = await findPrincipal(trx, memberId)
  if (found === undefined) {
    throw new SallyportError('ERR_DIRECTORY_NOT_FOUND', 'there is no object with this id')
  }
  const kind = found.kind === 'app' ? 'servicePrincipal' : found.kind
  await addMember(trx, groupId, { objectId: found.objectId, kind })
}

/** The id in `https://…/directoryObjects/<id>`; the host does not matter, as clients write that of Microsoft. */
function referenced(url: string): string {
  const [, id = ''] =
    /\/(?:directoryObjects|users|groups|servicePrincipals)\/([0-9a-f-]{36})$/i.exec(url) ?? []
  if (isGuid(id)) return id.toLowerCase()
  throw new SallyportError(
    'ERR_ARM_INVALID_REQUEST',
    "'@odata.id' must end in /directoryObjects/ and an object id",
    { target: '@odata.id' },
  )
}
