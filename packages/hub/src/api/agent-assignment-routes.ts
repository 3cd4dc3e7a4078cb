/**
 * The agent asks for the role assignments of its cluster.
 * @module
 */
import { AgentAssignmentsSchema, agentApiPaths } from '@sallyport/protocol'
import { agentAssignments } from '../authorization/agent-assignments.ts'
import { agentOf, agentOnly } from './access.ts'
import type { Api } from './api-instance.ts'
import type { ApiContext } from './context.ts'

/** Adds the route. */
export function registerAgentAssignmentRoutes(api: Api, context: ApiContext): void {
  api.post(
    agentApiPaths.assignments,
    { config: agentOnly, schema: { response: { 200: AgentAssignmentsSchema } } },
    (request) => agentAssignments(context.store.db, agentOf(request).cluster_key, context.now()),
  )
}
