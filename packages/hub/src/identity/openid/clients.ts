/**
 * Clients of the OpenID provider: the enabled service principals, and two public clients every hub has.
 * @module
 */
import type { Adapter, ClientMetadata } from 'oidc-provider'
import { cliClientId, cliRedirectPath } from '@sallyport/protocol'
import type { Store } from '../../store/store.ts'
import { spendAsMuch } from '../directory/client-secret.ts'
import { findServicePrincipal } from '../directory/service-principals.ts'

/** Client id of the Azure CLI, which `@azure/identity` uses for people too. */
export const azureCliClientId = '04b07795-8ddb-461a-bbee-02f9e1bf7b46'

/** `grant_type` of device codes (RFC 8628 section 3.4). */
export const deviceCodeGrant = 'urn:ietf:params:oauth:grant-type:device_code'

/** Names people see, by client id. */
const publicClients: Readonly<Record<string, string>> = {
  [cliClientId]: 'Sallyport CLI',
  [azureCliClientId]: 'Azure CLI and Azure SDKs',
}

/** Never compared: the provider's comparison is replaced by one against hashes. */
const placeholderSecret = 'kept-as-a-hash'

/** The name of a public client; undefined when there is none of that id. */
export function publicClientName(clientId: string): string | undefined {
  return Object.hasOwn(publicClients, clientId) ? publicClients[clientId] : undefined
}

/** The adapter of the model `Client`: it only finds. */
export function clientAdapter(store: Store): Adapter {
  const none = (): Promise<undefined> => Promise.resolve(undefined)
  return {
    find: async (id) => {
      const name = publicClientName(id)
      if (name !== undefined) return publicClient(id, name)
      const principal = await findServicePrincipal(store.db, { appId: id })
      if (principal?.enabled !== true) {
        await spendAsMuch(id)
        return undefined
      }
      return {
        client_id: principal.appId,
        client_secret: placeholderSecret,
        client_name: principal.displayName,
        grant_types: ['client_credentials'],
        response_types: [],
        redirect_uris: [],
        token_endpoint_auth_method: 'client_secret_post',
      }
    },
    upsert: () => Promise.reject(new TypeError('clients are made by the directory')),
    findByUid: none,
    findByUserCode: none,
    consume: none,
    destroy: none,
    revokeByGrantId: none,
  }
}

/** Redirects to the same machine only, on any port (RFC 8252 section 7.3); the path is compared exactly. */
function publicClient(clientId: string, name: string): ClientMetadata {
  const redirects = ['http://localhost', 'http://127.0.0.1', 'http://[::1]'].flatMap((host) => [
    host,
    `${host}/`,
    `${host}${cliRedirectPath}`,
  ])
  return {
    client_id: clientId,
    client_name: name,
    application_type: 'native',
    grant_types: ['authorization_code', 'refresh_token', deviceCodeGrant],
    response_types: ['code'],
    redirect_uris: redirects,
    post_logout_redirect_uris: redirects,
    token_endpoint_auth_method: 'none',
  }
}
