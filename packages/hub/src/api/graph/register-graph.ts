/**
 * The directory as a subset of Microsoft Graph, under `/v1.0` and under `/graph/v1.0`, which `/metadata/endpoints` names.
 * @module
 */
import type { FastifyInstance } from 'fastify'
import { typed } from '../api-instance.ts'
import type { ApiContext } from '../context.ts'
import { registerCredentialWrites } from './credential-routes.ts'
import { answerGraphErrors } from './graph-error.ts'
import { registerGroupRoutes } from './group-routes.ts'
import { registerMeRoutes } from './me-routes.ts'
import { registerMembershipRoutes } from './membership-routes.ts'
import { registerServicePrincipalRoutes } from './service-principal-routes.ts'
import { registerUserRoutes } from './user-routes.ts'

/** Adds the routes to the API. */
export async function registerGraph(api: FastifyInstance, context: ApiContext): Promise<void> {
  for (const prefix of ['/v1.0', '/graph/v1.0']) {
    await api.register(
      (scope, _options, done) => {
        answerGraphErrors(scope, context.now)
        const graph = typed(scope)
        registerMeRoutes(graph, context)
        registerUserRoutes(graph, context)
        registerGroupRoutes(graph, context)
        registerServicePrincipalRoutes(graph, context)
        registerCredentialWrites(graph, context)
        registerMembershipRoutes(graph, context)
        done()
      },
      { prefix },
    )
  }
}
