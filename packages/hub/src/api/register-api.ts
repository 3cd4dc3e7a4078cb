/**
 * The API as a whole, added to an application: gate, bodies, headers, errors, OpenAPI, routes.
 * @module
 */
import swagger from '@fastify/swagger'
import { TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { version } from '@sallyport/protocol'
import { addAccessGate, publicRoute } from './access.ts'
import { registerAgentFeed } from './agent-feed.ts'
import { registerAccessQuestionRoutes } from './access-question-routes.ts'
import { registerAgentAssignmentRoutes } from './agent-assignment-routes.ts'
import { registerAgentGroups } from './agent-groups.ts'
import { registerAgentRoutes } from './agent-routes.ts'
import { registerAllowlistRoutes } from './allowlist-routes.ts'
import { typed } from './api-instance.ts'
import { acceptJsonBodies } from './body.ts'
import { registerClusterReads } from './connected-cluster-routes.ts'
import { registerClusterWrites } from './connected-cluster-writes.ts'
import type { ApiContext } from './context.ts'
import { registerCredentialRoutes } from './credential-routes.ts'
import { translateErrors } from './errors.ts'
import { registerGraph } from './graph/register-graph.ts'
import { registerIssuerRoutes } from './issuer-routes.ts'
import { registerOperationRoutes } from './long-running.ts'
import { registerProviderOperationRoutes } from './provider-operation-routes.ts'
import { registerProviderRoutes } from './provider-routes.ts'
import { registerResourceGroupRoutes } from './resource-group-routes.ts'
import { addResponseHeaders } from './response-headers.ts'
import { registerRoleAssignmentRoutes } from './role-assignment-routes.ts'
import { registerRoleDefinitionRoutes } from './role-definition-routes.ts'
import { registerSessionRoutes } from './session-routes.ts'
import { registerSigningKeyRoutes } from './signing-key-routes.ts'
import { registerTenantRoutes } from './tenant-routes.ts'

/** Adds the API; it is complete when the application is ready. */
export function registerApi(app: FastifyInstance, context: ApiContext): void {
  void app.register(async (scope) => {
    scope.setValidatorCompiler(TypeBoxValidatorCompiler)
    addResponseHeaders(scope, context)
    acceptJsonBodies(scope)
    translateErrors(scope)
    addAccessGate(scope, context)
    await scope.register(swagger, {
      openapi: { info: { title: 'Sallyport', version, description: 'API of the hub' } },
    })
    registerRoutes(scope, context)
    await registerGraph(scope, context)
  })
}

function registerRoutes(scope: FastifyInstance, context: ApiContext): void {
  const api = typed(scope)
  registerTenantRoutes(api, context)
  registerProviderRoutes(api, context)
  registerResourceGroupRoutes(api, context)
  registerClusterReads(api, context)
  registerClusterWrites(api, context)
  registerCredentialRoutes(api, context)
  registerOperationRoutes(api, context)
  registerAgentRoutes(api, context)
  registerIssuerRoutes(api, context)
  registerAgentFeed(api, context)
  registerSessionRoutes(api, context)
  registerSigningKeyRoutes(api, context)
  registerAgentAssignmentRoutes(api, context)
  registerRoleDefinitionRoutes(api, context)
  registerRoleAssignmentRoutes(api, context)
  registerAccessQuestionRoutes(api, context)
  registerProviderOperationRoutes(api)
  registerAllowlistRoutes(api, context)
  registerAgentGroups(api, context)
  api.get(
    '/sallyport/v1/openapi.json',
    { config: publicRoute('describes the API, the same on every hub'), schema: { hide: true } },
    () => scope.swagger(),
  )
}
