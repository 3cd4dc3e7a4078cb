/**
 * The agent API: enrolment with an onboarding key; everything else with the agent's own assertion, about its own cluster.
 * @module
 */
import {
  AgentRelaysSchema,
  EnrolmentRequestSchema,
  EnrolmentResponseSchema,
  HeartbeatResponseSchema,
  HeartbeatSchema,
  agentApiPaths,
  limits,
} from '@sallyport/protocol'
import { findAgent } from '../registry/agents.ts'
import { redeemEnrolment, refused } from '../registry/enrolment.ts'
import { recordHeartbeat } from '../registry/presence.ts'
import { agentOf, agentOnly, publicRoute } from './access.ts'
import type { Api } from './api-instance.ts'
import type { ApiContext } from './context.ts'
import { checkProof } from './enrolment-proof.ts'

/** Adds the routes of `agentApiPaths`. */
export function registerAgentRoutes(api: Api, context: ApiContext): void {
  api.post(
    agentApiPaths.enrol,
    {
      config: publicRoute('the body is a proof signed by the onboarding key'),
      schema: { body: EnrolmentRequestSchema, response: { 200: EnrolmentResponseSchema } },
    },
    async (request) => {
      const redemption = await checkProof(context, request.body.proof)
      const agentId = await redeemEnrolment(context.store, redemption)
      const agent = await findAgent(context.store.db, agentId)
      if (agent === undefined) throw refused()
      // The agent before, if it still waits, is none any more.
      context.changes.wake()
      request.log.info({ event: 'agent.enrolled', cluster: agent.resource_id, agentId })
      return {
        clusterId: agent.resource_id,
        agentId,
        issuer: context.clusterTokens.issuer,
        clusterTokenKeys: context.clusterTokens.publicKeys(),
        serverTime: Math.floor(context.now() / 1000),
      }
    },
  )
  api.post(
    agentApiPaths.heartbeat,
    {
      config: agentOnly,
      bodyLimit: limits.agentReportBytes,
      schema: { body: HeartbeatSchema, response: { 200: HeartbeatResponseSchema } },
    },
    async (request) => {
      const now = context.now()
      await recordHeartbeat(context.store, {
        clusterKey: agentOf(request).cluster_key,
        node: context.node ?? 'hub',
        heartbeat: request.body,
        now,
      })
      return { serverTime: Math.floor(now / 1000), intervalMs: limits.agentHeartbeatMs }
    },
  )
  api.post(
    agentApiPaths.relays,
    { config: agentOnly, schema: { response: { 200: AgentRelaysSchema } } },
    (request) => ({
      relays: context.relayAccess.forAgent(
        `microsoft.kubernetes/connectedclusters/${agentOf(request).hash}`,
      ),
    }),
  )
}
