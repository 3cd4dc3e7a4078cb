/**
 * How the agent says who it is to the hub: a JWS of one minute, new for each call.
 * @module
 */
import { randomUUID, type KeyObject } from 'node:crypto'
import { agentAssertionType, limits } from '@sallyport/protocol'
import { SignJWT } from 'jose'

/**
 * Value of the Authorization header: `Bearer <JWS typ sallyport-agent+jwt>`. Dated by the hub's clock (`hubNow`, Unix
 * milliseconds): an agent whose own clock is off still hears of revocations.
 */
export async function agentAuthorization(
  agent: { agentId: string; hub: string; key: KeyObject },
  hubNow: number,
): Promise<string> {
  const now = Math.floor(hubNow / 1000)
  const assertion = await new SignJWT()
    .setProtectedHeader({ alg: 'ES256', typ: agentAssertionType })
    .setIssuer(agent.agentId)
    .setSubject(agent.agentId)
    .setAudience(agent.hub)
    .setIssuedAt(now)
    .setExpirationTime(now + limits.agentAssertionTtlMs / 1000)
    .setJti(randomUUID())
    .sign(agent.key)
  return `Bearer ${assertion}`
}
