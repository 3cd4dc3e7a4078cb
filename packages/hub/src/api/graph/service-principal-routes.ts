/**
 * `/servicePrincipals` and `/applications`: two names of the same objects.
 * @module
 */
import type { FastifyRequest } from 'fastify'
import type { Kysely } from 'kysely'
import Type, { type Static } from 'typebox'
import { SallyportError } from '@sallyport/protocol'
import {
  deleteServicePrincipal,
  insertServicePrincipal,
  requireServicePrincipal,
  updateServicePrincipal,
  type ServicePrincipal,
} from '../../identity/directory/service-principals.ts'
import type { Database } from '../../store/database.ts'
import { requires } from '../access.ts'
import type { Api } from '../api-instance.ts'
import type { ApiContext } from '../context.ts'
import { change, checkMayChange, closed, Guid, idOf } from './graph-context.ts'
import { listObjects } from './lists.ts'
import { odataQuery, selected } from './odata-query.ts'
import { renderServicePrincipals } from './render.ts'

const shared = {
  accountEnabled: Type.Optional(Type.Boolean()),
  administrator: Type.Optional(Type.Boolean()),
  /** Taken from Graph clients; every application is of this hub only. */
  signInAudience: Type.Optional(Type.Literal('AzureADMyOrg')),
}

const NewSchema = Type.Object(
  {
    displayName: Type.Optional(Type.String()),
    /** The application to make a service principal of: it is one already. */
    appId: Type.Optional(Guid),
    ...shared,
  },
  closed,
)

const PatchSchema = Type.Object({ displayName: Type.Optional(Type.String()), ...shared }, closed)

const read = requires('Sallyport/directory/servicePrincipals/read')
const write = requires('Sallyport/directory/servicePrincipals/write')
const remove = requires('Sallyport/directory/servicePrincipals/delete')

/** Both ways to name one object of `set` in a path: by id, and by client id in OData's key syntax. */
export function itemPaths(set: string): string[] {
  return [`/${set}/:id`, `/${set}(appId=':appId(^[0-9a-fA-F-]{36})')`]
}

/** The names of the set. */
export const principalSets = ['servicePrincipals', 'applications'] as const

/** The service principal of a path. @throws SallyportError ERR_DIRECTORY_NOT_FOUND. */
export function principalOfPath(
  db: Kysely<Database>,
  request: FastifyRequest,
): Promise<ServicePrincipal> {
  const { id, appId } = request.params as { id?: string; appId?: string }
  return requireServicePrincipal(
    db,
    appId === undefined ? { objectId: idOf(id ?? '') } : { appId: idOf(appId) },
  )
}

/** Adds the routes. */
export function registerServicePrincipalRoutes(api: Api, context: ApiContext): void {
  for (const set of principalSets) {
    api.get(`/${set}`, { config: read }, (request) =>
      listObjects(context, request, { table: 'service_principals', set }),
    )
    api.post(`/${set}`, { config: write, schema: { body: NewSchema } }, async (request, reply) => {
      const principal = await create(context, request, request.body)
      const [object] = await renderServicePrincipals(context.store.db, [principal])
      return reply.code(201).send(object)
    })
    for (const path of itemPaths(set)) registerItem(api, context, path)
  }
}

function registerItem(api: Api, context: ApiContext, path: string): void {
  const { db } = context.store
  api.get(path, { config: read }, async (request) => {
    const { select } = odataQuery(request, { filter: false })
    const [object = {}] = await renderServicePrincipals(db, [await principalOfPath(db, request)])
    return selected(object, select)
  })
  api.patch(path, { config: write, schema: { body: PatchSchema } }, async (request, reply) => {
    const { objectId } = await principalOfPath(db, request)
    const { displayName, accountEnabled: enabled, administrator } = request.body
    await change(context, async (trx) => {
      await checkMayChange(trx, request, { objectId, administrator })
      await updateServicePrincipal(trx, objectId, {
        change: { displayName, enabled, administrator },
        now: context.now(),
      })
    })
    return reply.code(204).send()
  })
  api.delete(path, { config: remove }, async (request, reply) => {
    const { objectId } = await principalOfPath(db, request)
    await change(context, async (trx) => {
      await checkMayChange(trx, request, { objectId })
      await deleteServicePrincipal(trx, objectId, context.now())
    })
    return reply.code(204).send()
  })
}

/** With `appId`: the object that is there, as clients make the application first and its service principal second. */
async function create(
  context: ApiContext,
  request: FastifyRequest,
  body: Static<typeof NewSchema>,
): Promise<ServicePrincipal> {
  const { appId, displayName, administrator = false, accountEnabled: enabled } = body
  if (appId !== undefined) {
    if (displayName !== undefined || administrator || enabled === false) {
      throw new SallyportError(
        'ERR_ARM_INVALID_REQUEST',
        "with 'appId' nothing else can be given: the service principal of an application is there with it",
        { target: 'appId' },
      )
    }
    return requireServicePrincipal(context.store.db, { appId })
  }
  if (displayName === undefined) {
    throw new SallyportError('ERR_ARM_INVALID_REQUEST', "'displayName' is required", {
      target: 'displayName',
    })
  }
  return change(context, async (trx) => {
    if (administrator) await checkMayChange(trx, request, { administrator })
    const now = context.now()
    const made = await insertServicePrincipal(trx, { displayName, administrator, now })
    if (enabled !== false) return made
    await trx
      .updateTable('service_principals')
      .set({ enabled: 0 })
      .where('object_id', '=', made.objectId)
      .execute()
    return { ...made, enabled: false }
  })
}
