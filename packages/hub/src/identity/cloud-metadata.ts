/**
 * `/metadata/endpoints`: where the parts of this hub are, in both shapes ARM clients read.
 * @module
 */
import type { FastifyInstance } from 'fastify'

/** Last api-version that answers with a list of clouds; later ones answer with one object. */
const lastListVersion = '2019-12-31'

/** Serves the metadata; public, because it is read before sign-in. */
export function registerCloudMetadata(
  app: FastifyInstance,
  hub: { publicUrl: string; tenantId: string },
): void {
  const { publicUrl, tenantId } = hub
  const common = {
    name: 'Sallyport',
    portal: publicUrl,
    resourceManager: publicUrl,
    gallery: publicUrl,
    batch: publicUrl,
    sqlManagement: publicUrl,
    microsoftGraphResourceId: `${publicUrl}/graph`,
    graph: `${publicUrl}/graph`,
    graphAudience: `${publicUrl}/graph`,
    suffixes: {},
  }
  const object = {
    ...common,
    authentication: {
      loginEndpoint: publicUrl,
      audiences: [publicUrl],
      tenant: tenantId,
      identityProvider: 'AAD',
    },
  }
  // The Azure CLI, which reads the list, asks no outside service about a login endpoint that ends in /adfs.
  const list = [
    {
      ...common,
      authentication: {
        loginEndpoint: `${publicUrl}/adfs`,
        audiences: [publicUrl],
        tenant: tenantId,
      },
    },
  ]
  app.get('/metadata/endpoints', (request) => {
    const version = (request.query as Record<string, unknown>)['api-version']
    return typeof version === 'string' && version.slice(0, 10) <= lastListVersion ? list : object
  })
}
