/**
 * `/me`: what every signed-in principal may ask and do about itself, without any role.
 * @module
 */
import type { FastifyRequest } from 'fastify'
import Type from 'typebox'
import { limits, SallyportError } from '@sallyport/protocol'
import { endSignIns } from '../../identity/directory/end-sign-ins.ts'
import { findAccount } from '../../identity/directory/principals.ts'
import {
  checkPassword,
  hashNewPassword,
  requireUser,
  setPassword,
} from '../../identity/directory/users.ts'
import { createRateLimit } from '../../identity/rate-limit.ts'
import { principalOf, signedIn } from '../access.ts'
import type { Api } from '../api-instance.ts'
import type { ApiContext } from '../context.ts'
import { change, closed } from './graph-context.ts'
import { odataQuery, selected } from './odata-query.ts'
import { renderServicePrincipals, renderUser, type GraphObject } from './render.ts'

const ChangePasswordSchema = Type.Object(
  { currentPassword: Type.String(), newPassword: Type.String() },
  closed,
)

/** Adds the routes. */
export function registerMeRoutes(api: Api, context: ApiContext): void {
  api.get('/me', { config: signedIn }, async (request) => {
    const { select } = odataQuery(request, { filter: false })
    return selected(await renderMe(context, request), select)
  })
  api.post('/me/revokeSignInSessions', { config: signedIn }, async (request) => {
    const { objectId } = principalOf(request)
    await change(context, (trx) =>
      endSignIns(trx, objectId, { reason: 'sign-ins revoked', now: context.now() }),
    )
    return { value: true }
  })
  const attempts = createRateLimit({
    perMinute: limits.passwordChangesPerMinute,
    keys: limits.tokenRateKeys,
    now: context.now,
  })
  api.post(
    '/me/changePassword',
    { config: signedIn, schema: { body: ChangePasswordSchema } },
    async (request, reply) => {
      const { objectId } = principalOf(request)
      // Who has stolen a sign-in must not find out the password by guessing here.
      const seconds = attempts.take(objectId)
      if (seconds !== undefined) {
        throw new SallyportError('ERR_RATE_LIMITED', 'too many changes of this password', {
          retryAfterSeconds: seconds,
        })
      }
      await changeOwnPassword(context, objectId, request.body)
      return reply.code(204).send()
    },
  )
}

async function renderMe(context: ApiContext, request: FastifyRequest): Promise<GraphObject> {
  const { objectId } = principalOf(request)
  const { db } = context.store
  const account = await findAccount(db, objectId)
  if (account?.kind === 'user') {
    return { '@odata.type': '#microsoft.graph.user', ...renderUser(account.from) }
  }
  const [object] = account === undefined ? [] : await renderServicePrincipals(db, [account.from])
  if (object === undefined) {
    throw new SallyportError('ERR_DIRECTORY_NOT_FOUND', 'the signed-in principal was deleted')
  }
  return { '@odata.type': '#microsoft.graph.servicePrincipal', ...object }
}

async function changeOwnPassword(
  context: ApiContext,
  objectId: string,
  body: { currentPassword: string; newPassword: string },
): Promise<void> {
  const { db } = context.store
  const { userPrincipalName } = await requireUser(db, { objectId })
  const user = await checkPassword(db, userPrincipalName, body.currentPassword)
  if (user === undefined) {
    throw new SallyportError('ERR_PASSWORD_REFUSED', 'the current password is wrong', {
      target: 'currentPassword',
      remedy: 'type the current password again, or let an administrator set a new one',
    })
  }
  const passwordHash = await hashNewPassword(body.newPassword, userPrincipalName)
  await change(context, (trx) => setPassword(trx, objectId, { passwordHash, now: context.now() }))
}
