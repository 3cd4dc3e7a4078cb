/**
 * The pages where people prove who they are.
 * @module
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { checkPassword } from '../directory/users.ts'
import { addressKey } from '../rate-limit.ts'
import { createAttemptLimits, type AttemptLimits } from './attempt-limits.ts'
import {
  describeInteraction,
  findInteraction,
  finishSignIn,
  type InteractionParts,
  type OpenInteraction,
} from './interaction.ts'
import { pageHeaders } from './page.ts'
import { messagePage, signInPage, type SignInOption } from './pages.ts'
import { isSameOrigin } from './same-origin.ts'

/** What the pages are made from. */
export interface SignInParts extends InteractionParts {
  publicUrl: string
  /** Outside issuers people may choose. */
  listSignInOptions: () => Promise<SignInOption[]>
  onSignIn: (result: 'signedIn' | 'refused' | 'limited') => void
  now: () => number
}

interface UidRoute {
  Params: { uid: string }
}

/** One text for a wrong password, an unknown, a disabled, and an outside user. */
const wrong = 'User name or password is not right.'

/** Adds the routes; `scope` reads forms into URLSearchParams. */
export function registerSignInRoutes(scope: FastifyInstance, parts: SignInParts): void {
  const rates = createAttemptLimits(parts.now)
  const open = async (
    request: FastifyRequest<UidRoute>,
    reply: FastifyReply,
  ): Promise<OpenInteraction | undefined> => {
    const found = await findInteraction(parts, request, reply)
    return found?.uid === request.params.uid ? describeInteraction(found) : undefined
  }
  scope.get<UidRoute>('/signin/:uid', async (request, reply) => {
    const interaction = await open(request, reply)
    if (interaction === undefined) return sendOver(parts, reply)
    return sendSignIn(parts, reply, { interaction, userName: '' })
  })
  scope.post<UidRoute>('/signin/:uid', async (request, reply) => {
    if (!isSameOrigin(request, parts.publicUrl)) return sendForeign(parts, reply)
    const interaction = await open(request, reply)
    if (interaction === undefined) return sendOver(parts, reply)
    return signIn(parts, { request, reply, rates }, interaction)
  })
}

async function signIn(
  parts: SignInParts,
  exchange: {
    request: FastifyRequest
    reply: FastifyReply
    rates: AttemptLimits
  },
  interaction: OpenInteraction,
): Promise<FastifyReply> {
  const { request, reply, rates } = exchange
  const form = formOf(request)
  const userName = (form.get('username') ?? '').trim().slice(0, 256)
  const password = form.get('password') ?? ''
  const attempt = { address: addressKey(request.ip), account: userName.toLowerCase() }
  const wait = rates.take(attempt)
  if (wait !== undefined) {
    parts.onSignIn('limited')
    const error = `Too many attempts. Try again in ${wait} seconds.`
    reply.header('retry-after', wait).code(429)
    return sendSignIn(parts, reply, { interaction, userName, error })
  }
  const user = await checkPassword(parts.store.db, userName, password)
  if (user?.enabled !== true) {
    parts.onSignIn('refused')
    return sendSignIn(parts, reply.code(401), { interaction, userName, error: wrong })
  }
  rates.succeeded(attempt)
  parts.onSignIn('signedIn')
  return finishSignIn(parts, { request, reply }, user.objectId)
}

function formOf(request: FastifyRequest): URLSearchParams {
  return request.body instanceof URLSearchParams ? request.body : new URLSearchParams()
}

function hostOf(parts: SignInParts): string {
  return new URL(parts.publicUrl).host
}

async function sendSignIn(
  parts: SignInParts,
  reply: FastifyReply,
  shown: { interaction: OpenInteraction; userName: string; error?: string },
): Promise<FastifyReply> {
  const { uid, clientName } = shown.interaction
  const options = await parts.listSignInOptions()
  const { userName, error } = shown
  return sendPage(
    reply,
    signInPage({ host: hostOf(parts), uid, clientName, options, userName, error }),
  )
}

function sendOver(parts: SignInParts, reply: FastifyReply): FastifyReply {
  const text =
    'This sign-in is over, or began in another browser. Start again in the program you came from.'
  const title = 'Start again'
  return sendPage(reply.code(400), messagePage({ host: hostOf(parts), title, text, isError: true }))
}

function sendForeign(parts: SignInParts, reply: FastifyReply): FastifyReply {
  const text = 'This form was not sent from a page of this hub.'
  const title = 'Not allowed'
  return sendPage(reply.code(403), messagePage({ host: hostOf(parts), title, text, isError: true }))
}

/** Sends a page with the headers every page has. */
export function sendPage(reply: FastifyReply, page: string): FastifyReply {
  return reply.headers(pageHeaders).type('text/html; charset=utf-8').send(page)
}
