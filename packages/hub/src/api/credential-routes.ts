/**
 * The route of `listClusterUserCredential`, also under its old plural name.
 * @module
 */
import { CredentialResultsSchema, ListCredentialRequestSchema } from '@sallyport/protocol'
import { principalOf, requires } from './access.ts'
import type { Api } from './api-instance.ts'
import { clusterCredential } from './cluster-credential.ts'
import { clusterPath, requireCluster } from './connected-cluster-routes.ts'
import type { ApiContext } from './context.ts'
import { ClusterParams, checkedCluster } from './scope.ts'
import { requireSubscription } from './tenant-routes.ts'

/** Adds the routes. */
export function registerCredentialRoutes(api: Api, context: ApiContext): void {
  for (const name of ['listClusterUserCredential', 'listClusterUserCredentials']) {
    api.post(
      `${clusterPath}/${name}`,
      {
        config: requires('Microsoft.Kubernetes/connectedClusters/listClusterUserCredential/action'),
        schema: {
          params: ClusterParams,
          body: ListCredentialRequestSchema,
          response: { 200: CredentialResultsSchema },
        },
      },
      async (request) => {
        await requireSubscription(context, request.params)
        const record = await requireCluster(context, checkedCluster(request.params))
        const principal = principalOf(request)
        return clusterCredential(context, { record, principal, body: request.body })
      },
    )
  }
}
