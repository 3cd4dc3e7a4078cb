/**
 * `GET /urls/allowlist`: the hosts a firewall has to let through, in the shape of the guest notification service.
 * @module
 */
import Type from 'typebox'
import { SallyportError } from '@sallyport/protocol'
import { publicRoute } from './access.ts'
import type { Api } from './api-instance.ts'
import type { ApiContext } from './context.ts'
import { queryValue } from './query.ts'

const apiVersion = '2020-01-01'

/** Adds the route. */
export function registerAllowlistRoutes(api: Api, context: ApiContext): void {
  api.get(
    '/urls/allowlist',
    {
      config: publicRoute('whoever sets up a firewall has no sign-in yet; the hosts are no secret'),
      schema: { response: { 200: Type.Array(Type.String()) } },
    },
    (request) => {
      const version = queryValue(request, 'api-version')
      if (version !== apiVersion) {
        throw new SallyportError(
          version === undefined ? 'ERR_ARM_API_VERSION_MISSING' : 'ERR_ARM_API_VERSION',
          `api-version must be ${apiVersion}`,
          { target: 'api-version' },
        )
      }
      if ((queryValue(request, 'location') ?? '') === '') {
        throw new SallyportError(
          'ERR_ARM_INVALID_REQUEST',
          "query parameter 'location' is required",
          {
            target: 'location',
          },
        )
      }
      return hosts(context)
    },
  )
}

/** This hub and its relays, each host once, with its port when that is not 443. */
function hosts(context: ApiContext): string[] {
  const relays = context.relayAccess.forClient('microsoft.kubernetes/connectedclusters/none')
  const urls = [context.publicUrl, ...relays.map((relay) => relay.url)]
  return [...new Set(urls.map((url) => new URL(url).host.replace(/:443$/, '')))]
}
