/**
 * The way of a browser to an outside issuer and back. What it brings back becomes a person of our directory; the rest of the
 * sign-in is the same as for those with a password.
 * @module
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isSallyportError, limits, outsideCallbackPath, SallyportError } from '@sallyport/protocol'
import { addressKey, createRateLimit, type RateLimit } from '../rate-limit.ts'
import { admitPerson, type AdmitParts } from './admit.ts'
import { refused } from './claims.ts'
import { findIssuer, listIssuers } from './issuer-store.ts'
import type { OutsideIssuer } from './outside-issuer.ts'
import { PendingSignIns } from './pending-sign-ins.ts'
import {
  authorizationUrl,
  makeDeparture,
  personOf,
  type RelyingPartyParts,
} from './relying-party.ts'

/** What our own sign-in does for one that comes from outside. */
export interface SignInHooks {
  /** Id of the interaction under way in this browser, by its cookie, which is sent to `/signin/ID` and below. */
  interactionOf: (request: FastifyRequest, reply: FastifyReply) => Promise<string | undefined>
  /** Ends that interaction with this person signed in. */
  finish: (
    request: FastifyRequest,
    reply: FastifyReply,
    objectId: string,
  ) => FastifyReply | Promise<FastifyReply>
  /** A page that says what went wrong. */
  sendProblem: (reply: FastifyReply, problem: { status: number; text: string }) => FastifyReply
}

/** What the way is made from. */
export interface OutsideSignInParts extends AdmitParts {
  relyingParty: RelyingPartyParts
  hooks: SignInHooks
}

/** Issuers the sign-in page offers. */
export async function listSignInOptions(
  store: AdmitParts['store'],
): Promise<{ alias: string; displayName: string }[]> {
  const issuers = await listIssuers(store.db)
  return issuers
    .filter((issuer) => issuer.enabled)
    .map(({ alias, displayName }) => ({ alias, displayName }))
}

/**
 * Serves the way out, `/signin/outside/ALIAS?uid=INTERACTION`, and the way back. Issuers know one address for everybody; the cookie of
 * an interaction goes to its own path only. So the first sends the browser on to the second, which is where anything happens.
 */
export function registerOutsideSignIn(app: FastifyInstance, parts: OutsideSignInParts): void {
  const pending = new PendingSignIns(parts.now)
  const rate = createRateLimit({
    keys: limits.tokenRateKeys,
    now: parts.now,
    perMinute: limits.tokenRequestsPerMinutePerAddress,
  })
  const route = (handle: Handler) => async (request: FastifyRequest, reply: FastifyReply) => {
    void reply.header('cache-control', 'no-store').header('referrer-policy', 'no-referrer')
    try {
      return await handle(request, reply)
    } catch (error) {
      return sendProblem(parts, reply, error)
    }
  }
  app.get(
    outsideCallbackPath,
    route((request, reply) => sendOn(pending, request, reply)),
  )
  app.get(
    '/signin/:uid/outside',
    route((request, reply) => arrive(parts, pending, { request, reply })),
  )
  app.get(
    '/signin/outside/:alias',
    route((request, reply) => {
      // Here the hub begins to work for a stranger; what comes back without a state it knows costs nothing.
      spend(rate, request)
      return depart(parts, pending, { request, reply })
    }),
  )
}

type Handler = (
  request: FastifyRequest,
  reply: FastifyReply,
) => FastifyReply | Promise<FastifyReply>

interface Exchange {
  request: FastifyRequest
  reply: FastifyReply
}

function spend(rate: RateLimit, request: FastifyRequest): void {
  const seconds = rate.take(addressKey(request.ip))
  if (seconds === undefined) return
  throw new SallyportError('ERR_RATE_LIMITED', `too many sign-ins; try again in ${seconds} s`, {
    retryAfterSeconds: seconds,
  })
}

async function depart(
  parts: OutsideSignInParts,
  pending: PendingSignIns,
  { request, reply }: Exchange,
): Promise<FastifyReply> {
  const { alias } = request.params as { alias: string }
  const { uid } = request.query as { uid?: unknown }
  if (typeof uid !== 'string' || !/^[A-Za-z0-9_-]{1,64}$/.test(uid)) {
    throw refused('start again in the program you came from')
  }
  const issuer = await openIssuer(parts, alias)
  const departure = makeDeparture()
  const state = pending.add({ ...departure, alias, interaction: uid })
  const url = await authorizationUrl(parts.relyingParty, issuer, { ...departure, state })
  return reply.redirect(url.href, 303)
}

function sendOn(
  pending: PendingSignIns,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const interaction = pending.interactionOf(stateOf(request))
  if (interaction === undefined) throw over()
  return reply.redirect(`/signin/${interaction}/outside${queryOf(request)}`, 303)
}

async function arrive(
  parts: OutsideSignInParts,
  pending: PendingSignIns,
  { request, reply }: Exchange,
): Promise<FastifyReply> {
  const state = stateOf(request)
  const interaction = await parts.hooks.interactionOf(request, reply)
  const found = interaction === undefined ? undefined : pending.take(state, interaction)
  if (found === undefined) throw over()
  const issuer = await openIssuer(parts, found.alias)
  const query = queryOf(request)
  const person = await personOf(parts.relyingParty, issuer, { ...found, state, query })
  const objectId = await admitPerson(parts, issuer, person)
  return parts.hooks.finish(request, reply, objectId)
}

function over(): SallyportError {
  return refused('it did not begin in this browser, it took too long, or it was used already')
}

function stateOf(request: FastifyRequest): string {
  const { state } = request.query as { state?: unknown }
  return typeof state === 'string' ? state : ''
}

function queryOf(request: FastifyRequest): string {
  const at = request.url.indexOf('?')
  return at === -1 ? '' : request.url.slice(at)
}

/** Looked up at both ends of the way: an issuer closed meanwhile lets nobody in. */
async function openIssuer(parts: OutsideSignInParts, alias: string): Promise<OutsideIssuer> {
  const issuer = await findIssuer(parts.store.db, { alias })
  if (issuer?.enabled === true) return issuer
  throw refused('this hub does not offer this way to sign in')
}

function sendProblem(parts: OutsideSignInParts, reply: FastifyReply, error: unknown): FastifyReply {
  if (!isSallyportError(error)) throw error
  parts.log.info({ event: 'issuer.sign_in_failed', code: error.code, why: error.why })
  if (error.retryAfterSeconds !== undefined) reply.header('retry-after', error.retryAfterSeconds)
  const why = error.why === undefined ? '' : ` ${sentence(error.why)}`
  return parts.hooks.sendProblem(reply, {
    status: error.entry.status,
    text: `${sentence(error.message)}${why}`,
  })
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}
