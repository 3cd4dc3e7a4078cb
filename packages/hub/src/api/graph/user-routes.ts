/**
 * `/users`: people of the directory.
 * @module
 */
import type { FastifyRequest } from 'fastify'
import Type, { type Static } from 'typebox'
import { isGuid, SallyportError } from '@sallyport/protocol'
import { endSignIns } from '../../identity/directory/end-sign-ins.ts'
import {
  deleteUser,
  hashNewPassword,
  insertUser,
  requireUser,
  setPassword,
  updateUser,
  type UserKey,
} from '../../identity/directory/users.ts'
import { requires } from '../access.ts'
import type { Api } from '../api-instance.ts'
import type { ApiContext } from '../context.ts'
import { change, checkMayChange, closed, IdParams } from './graph-context.ts'
import { listObjects } from './lists.ts'
import { odataQuery, selected } from './odata-query.ts'
import { renderUser } from './render.ts'

/** Nobody is made to change a password at the next sign-in: a request to do so is refused, not forgotten. */
const PasswordProfile = Type.Object(
  {
    password: Type.String(),
    forceChangePasswordNextSignIn: Type.Optional(Type.Literal(false)),
    forceChangePasswordNextSignInWithMfa: Type.Optional(Type.Literal(false)),
  },
  closed,
)

const shared = {
  mail: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  /** Taken from Graph clients, which must send it; not kept. */
  mailNickname: Type.Optional(Type.String()),
  accountEnabled: Type.Optional(Type.Boolean()),
  passwordProfile: Type.Optional(PasswordProfile),
  administrator: Type.Optional(Type.Boolean()),
}

const NewUserSchema = Type.Object(
  { userPrincipalName: Type.String(), displayName: Type.String(), ...shared },
  closed,
)

const UserPatchSchema = Type.Object(
  {
    userPrincipalName: Type.Optional(Type.String()),
    displayName: Type.Optional(Type.String()),
    ...shared,
  },
  closed,
)

const read = requires('Sallyport/directory/users/read')
const write = requires('Sallyport/directory/users/write')

/** The user of a path, by object id or sign-in name. */
export function userKey(text: string): UserKey {
  return isGuid(text) ? { objectId: text } : { userPrincipalName: text }
}

/** Adds the routes. */
export function registerUserRoutes(api: Api, context: ApiContext): void {
  const { db } = context.store
  api.get('/users', { config: read }, (request) =>
    listObjects(context, request, { table: 'users', set: 'users' }),
  )
  api.get('/users/:id', { config: read, schema: { params: IdParams } }, async (request) => {
    const { select } = odataQuery(request, { filter: false })
    return selected(renderUser(await requireUser(db, userKey(request.params.id))), select)
  })
  api.post('/users', { config: write, schema: { body: NewUserSchema } }, async (request, reply) =>
    reply.code(201).send(renderUser(await createUser(context, request, request.body))),
  )
  api.patch(
    '/users/:id',
    { config: write, schema: { params: IdParams, body: UserPatchSchema } },
    async (request, reply) => {
      await patchUser(context, request, { id: request.params.id, body: request.body })
      return reply.code(204).send()
    },
  )
  registerEnds(api, context)
}

function registerEnds(api: Api, context: ApiContext): void {
  const { db } = context.store
  api.delete(
    '/users/:id',
    { config: requires('Sallyport/directory/users/delete'), schema: { params: IdParams } },
    async (request, reply) => {
      const { objectId } = await requireUser(db, userKey(request.params.id))
      await change(context, async (trx) => {
        await checkMayChange(trx, request, { objectId })
        await deleteUser(trx, objectId, context.now())
      })
      return reply.code(204).send()
    },
  )
  api.post(
    '/users/:id/revokeSignInSessions',
    { config: write, schema: { params: IdParams } },
    async (request) => {
      const { objectId } = await requireUser(db, userKey(request.params.id))
      await change(context, async (trx) => {
        await checkMayChange(trx, request, { objectId })
        await endSignIns(trx, objectId, { reason: 'sign-ins revoked', now: context.now() })
      })
      return { value: true }
    },
  )
}

async function createUser(
  context: ApiContext,
  request: FastifyRequest,
  body: Static<typeof NewUserSchema>,
) {
  const { userPrincipalName, displayName, mail, passwordProfile } = body
  const passwordHash =
    passwordProfile === undefined
      ? null
      : await hashNewPassword(passwordProfile.password, userPrincipalName)
  return change(context, async (trx) => {
    if (body.administrator === true) await checkMayChange(trx, request, { administrator: true })
    return insertUser(trx, {
      userPrincipalName,
      displayName,
      mail: mail ?? null,
      passwordHash,
      enabled: body.accountEnabled ?? true,
      administrator: body.administrator ?? false,
      now: context.now(),
    })
  })
}

async function patchUser(
  context: ApiContext,
  request: FastifyRequest,
  { id, body }: { id: string; body: Static<typeof UserPatchSchema> },
): Promise<void> {
  const before = await requireUser(context.store.db, userKey(id))
  const { objectId } = before
  const { userPrincipalName, displayName, mail, administrator, accountEnabled: enabled } = body
  const name = userPrincipalName ?? before.userPrincipalName
  const password = body.passwordProfile?.password
  if (password !== undefined && !before.hasPassword && (await isOutside(context, objectId))) {
    throw new SallyportError(
      'ERR_PASSWORD_REFUSED',
      'this user signs in at an outside issuer and has no password here',
      { remedy: 'change the password at that issuer' },
    )
  }
  const passwordHash = password === undefined ? undefined : await hashNewPassword(password, name)
  await change(context, async (trx) => {
    const now = context.now()
    await checkMayChange(trx, request, { objectId, administrator })
    await updateUser(trx, objectId, {
      change: { userPrincipalName, displayName, mail, enabled, administrator },
      now,
    })
    if (passwordHash !== undefined) await setPassword(trx, objectId, { passwordHash, now })
  })
}

async function isOutside(context: ApiContext, objectId: string): Promise<boolean> {
  const account = await context.store.db
    .selectFrom('outside_accounts')
    .select('issuer')
    .where('object_id', '=', objectId)
    .executeTakeFirst()
  return account !== undefined
}
