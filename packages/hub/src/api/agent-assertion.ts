/**
 * How an enrolled agent proves itself: a short ES256 assertion by the key it registered, used once.
 * @module
 */
import type { FastifyRequest } from 'fastify'
import { decodeJwt, errors, jwtVerify, type JWK } from 'jose'
import Type from 'typebox'
import { SallyportError, agentAssertionType, limits, parser } from '@sallyport/protocol'
import { findAgent, type EnrolledAgent } from '../registry/agents.ts'
import type { ApiContext } from './context.ts'
import { ReplayCache } from './replay-cache.ts'

const parseClaims = parser(
  Type.Object(
    {
      /** Exactly one audience, as a string. */
      aud: Type.String(),
      iss: Type.String({ format: 'uuid' }),
      iat: Type.Integer(),
      exp: Type.Integer(),
      jti: Type.String({ minLength: 8, maxLength: 128 }),
    },
    { additionalProperties: true },
  ),
  'agent assertion',
  'ERR_AGENT_UNKNOWN',
)

/** Longest token looked at (security catalogue T-JWT-11). */
const tokenBytes = 4096

type Parts = Pick<ApiContext, 'store' | 'publicUrl' | 'now'>

/**
 * Makes the check of `Authorization: Bearer` on agent routes.
 * The check throws SallyportError ERR_AGENT_UNKNOWN, the same for an unknown agent and a bad signature, or ERR_RATE_LIMITED.
 */
export function createAgentAuthenticator(
  parts: Parts,
): (request: FastifyRequest) => Promise<EnrolledAgent> {
  const replays = new ReplayCache()
  return async (request) => {
    const { authorization = '' } = request.headers
    const [, token] = /^Bearer +([A-Za-z0-9._-]+)$/i.exec(authorization) ?? []
    if (token === undefined || token.length > tokenBytes) throw unknown()
    const agent = await findAgent(parts.store.db, claimedId(token))
    if (agent === undefined) throw unknown()
    const { jti, exp } = await verify(parts, token, agent)
    const now = parts.now()
    const until = exp * 1000 + limits.clusterTokenSkewMs
    const verdict = replays.use(agent.agent_id, { jti, until, now })
    if (verdict === 'used') throw unknown('the assertion was used before')
    if (verdict === 'too many') {
      throw new SallyportError('ERR_RATE_LIMITED', 'too many requests by this agent', {
        retryAfterSeconds: 10,
      })
    }
    return agent
  }
}

/** The id the token claims; nothing is believed yet. */
function claimedId(token: string): string {
  try {
    return decodeJwt(token).iss ?? ''
  } catch (cause) {
    throw unknown(undefined, cause)
  }
}

async function verify(parts: Parts, token: string, agent: EnrolledAgent) {
  const now = parts.now()
  try {
    const { payload } = await jwtVerify(token, JSON.parse(agent.agent_key) as JWK, {
      algorithms: ['ES256'],
      typ: agentAssertionType,
      audience: parts.publicUrl,
      issuer: agent.agent_id,
      subject: agent.agent_id,
      requiredClaims: ['exp', 'iat', 'jti'],
      clockTolerance: limits.clusterTokenSkewMs / 1000,
      currentDate: new Date(now),
    })
    const claims = parseClaims(payload)
    const ahead = claims.iat * 1000 > now + limits.clusterTokenSkewMs
    if (ahead || claims.exp - claims.iat > limits.agentAssertionTtlMs / 1000) throw untimely(now)
    return claims
  } catch (error) {
    if (error instanceof errors.JWTExpired) throw untimely(now, error)
    if (error instanceof errors.JOSEError) throw unknown(undefined, error)
    throw error
  }
}

/** Said only to a holder of the key. */
function untimely(now: number, cause?: unknown): SallyportError {
  const clock = new Date(now).toISOString()
  return unknown(`the assertion is outside its time; the clock of the hub is ${clock}`, cause)
}

function unknown(why?: string, cause?: unknown): SallyportError {
  return new SallyportError('ERR_AGENT_UNKNOWN', 'this is not an agent of this hub', {
    cause,
    ...(why === undefined ? {} : { why }),
  })
}
