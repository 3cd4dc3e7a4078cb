/**
 * A user's program with Azure's own clients: signs in, makes, lists and deletes a cluster. The CA comes by NODE_EXTRA_CA_CERTS.
 * @module
 */
import { ConnectedKubernetesClient } from '@azure/arm-hybridkubernetes'
import { SubscriptionClient } from '@azure/arm-resources-subscriptions'

const [hub = '', tenant = '', clientId = '', certificate = ''] = process.argv.slice(2)

/** Client credentials as Azure's identity library asks for them. */
async function getToken(scopes: string | string[]) {
  const answer = await fetch(`${hub}/${tenant}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: process.env['CLIENT_SECRET'] ?? '',
      scope: [scopes].flat().join(' '),
    }),
  })
  const { access_token: token, expires_in: seconds } = (await answer.json()) as {
    access_token: string
    expires_in: number
  }
  return { token, expiresOnTimestamp: Date.now() + seconds * 1000 }
}

const subscriptions = new SubscriptionClient({ getToken }, { endpoint: hub })
const [subscription] = await Array.fromAsync(subscriptions.subscriptions.list())
const id = subscription?.subscriptionId ?? ''
const [location] = await Array.fromAsync(subscriptions.subscriptions.listLocations(id))
const { token } = await getToken(`${hub}/.default`)
await fetch(`${hub}/subscriptions/${id}/resourcegroups/rg?api-version=2022-12-01`, {
  method: 'PUT',
  headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
  body: JSON.stringify({ location: location?.name }),
})
const client = new ConnectedKubernetesClient({ getToken }, id, { endpoint: hub })
const { connectedClusterOperations: clusters } = client
const made = await clusters.beginCreateAndWait('rg', 'c1', {
  location: location?.name ?? '',
  identity: { type: 'SystemAssigned' },
  agentPublicKeyCertificate: certificate,
})
const listed = await Array.fromAsync(clusters.listBySubscription())
await clusters.beginDeleteAndWait('rg', 'c1')
const left = await Array.fromAsync(clusters.listByResourceGroup('rg'))
process.stdout.write(
  JSON.stringify({
    state: made.provisioningState,
    listed: listed.map((one) => one.name),
    left: left.length,
  }),
)
