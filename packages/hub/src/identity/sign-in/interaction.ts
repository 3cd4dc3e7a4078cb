/**
 * A sign-in under way: found by the cookie of the browser it began in, ended by naming who signed in.
 * @module
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Interaction, Provider } from 'oidc-provider'
import { SallyportError } from '@sallyport/protocol'
import type { Store } from '../../store/store.ts'
import { findUser } from '../directory/users.ts'
import { publicClientName } from '../openid/clients.ts'
import { pageHeaders } from './page.ts'

/** What ending a sign-in needs. */
export interface InteractionParts {
  store: Store
  provider: () => Provider
}

/** What is known of a sign-in under way. */
export interface OpenInteraction {
  uid: string
  clientId: string
  clientName: string
}

/** The sign-in under way in this browser; undefined when there is none, it took too long, or it is not `uid`. */
export async function findInteraction(
  parts: InteractionParts,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Interaction | undefined> {
  try {
    return await parts.provider().interactionDetails(request.raw, reply.raw)
  } catch (error) {
    if (error instanceof Error && error.name === 'SessionNotFound') return undefined
    throw error
  }
}

/** What the pages show of it. */
export function describeInteraction(interaction: Interaction): OpenInteraction {
  const clientId = String(interaction.params['client_id'])
  return {
    uid: interaction.uid,
    clientId,
    clientName: publicClientName(clientId) ?? clientId,
  }
}

/**
 * Ends the sign-in under way in this browser: from here on it is the person `objectId` names. Sends the browser back to the client.
 * @throws SallyportError ERR_AUTH_EXPIRED when no sign-in is under way, ERR_AUTH_FAILED when the person is unknown or disabled.
 */
export async function finishSignIn(
  parts: InteractionParts,
  exchange: { request: FastifyRequest; reply: FastifyReply },
  objectId: string,
): Promise<FastifyReply> {
  const { request, reply } = exchange
  const provider = parts.provider()
  const interaction = await findInteraction(parts, request, reply)
  if (interaction === undefined) {
    throw new SallyportError('ERR_AUTH_EXPIRED', 'no sign-in is under way in this browser')
  }
  const user = await findUser(parts.store.db, { objectId })
  if (user?.enabled !== true) {
    throw new SallyportError('ERR_AUTH_FAILED', 'this person cannot sign in here')
  }
  await leaveOtherAccount(provider, interaction, { exchange, objectId })
  const grant = new provider.Grant({
    accountId: objectId,
    clientId: String(interaction.params['client_id']),
  })
  grant.addOIDCScope('openid profile offline_access')
  const grantId = await grant.save()
  const result = { login: { accountId: objectId }, consent: { grantId } }
  const address = await provider.interactionResult(request.raw, reply.raw, result, {
    mergeWithLastSubmission: false,
  })
  return reply.headers(pageHeaders).redirect(address, 303)
}

/** When somebody else is signed in in this browser, that ends: the provider would ask a script to do it. */
async function leaveOtherAccount(
  provider: Provider,
  interaction: Interaction,
  {
    exchange,
    objectId,
  }: { exchange: { request: FastifyRequest; reply: FastifyReply }; objectId: string },
): Promise<void> {
  const signedIn = interaction.session?.accountId
  if (signedIn === undefined || signedIn === objectId) return
  const { request, reply } = exchange
  const session = await provider.Session.get(provider.createContext(request.raw, reply.raw))
  await session.destroy()
  delete (interaction as { session?: unknown }).session
  await interaction.persist()
}
