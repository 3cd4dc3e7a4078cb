/**
 * A small program on the unmodified Azure SDKs, pointed at a hub: walks one area and prints what it saw as JSON.
 * The hub's CA comes by NODE_EXTRA_CA_CERTS, as for any user of these SDKs.
 * @module
 */
import { generateKeyPairSync } from 'node:crypto'
import { ConnectedKubernetesClient } from '@azure/arm-hybridkubernetes'
import { SubscriptionClient } from '@azure/arm-resources-subscriptions'
import { ClientSecretCredential } from '@azure/identity'

const [verb = '', hub = '', tenantId = '', subscriptionId = '', clientId = ''] =
  process.argv.slice(2)
const clientSecret = process.env['HUB_CLIENT_SECRET'] ?? ''
const credential = new ClientSecretCredential(tenantId, clientId, clientSecret, {
  authorityHost: hub,
  disableInstanceDiscovery: true,
})
const group = 'sdk-group'

async function identity(): Promise<unknown> {
  const token = await credential.getToken(`${hub}/.default`)
  return {
    parts: token.token.split('.').length,
    lastsSeconds: Math.round((token.expiresOnTimestamp - Date.now()) / 1000),
  }
}

async function subscriptions(): Promise<unknown> {
  const client = new SubscriptionClient(credential, { endpoint: hub })
  const list = await Array.fromAsync(client.subscriptions.list())
  const one = await client.subscriptions.get(subscriptionId)
  const locations = await Array.fromAsync(client.subscriptions.listLocations(subscriptionId))
  const tenants = await Array.fromAsync(client.tenants.list())
  return {
    ids: list.map((item) => item.subscriptionId),
    state: one.state,
    locations: locations.map((item) => item.name),
    tenants: tenants.map((item) => item.tenantId),
  }
}

const publicKey = () =>
  generateKeyPairSync('rsa', { modulusLength: 2048 })
    .publicKey.export({ type: 'pkcs1', format: 'der' })
    .toString('base64')

async function clusters(): Promise<unknown> {
  const client = new ConnectedKubernetesClient(credential, subscriptionId, { endpoint: hub })
  const operations = client.connectedClusterOperations
  const body = {
    location: 'local',
    identity: { type: 'SystemAssigned' as const },
    agentPublicKeyCertificate: publicKey(),
    tags: { stage: 'test' },
  }
  const names = ['sdk-a', 'sdk-b', 'sdk-c']
  const created = []
  for (const name of names) created.push(await operations.beginCreateAndWait(group, name, body))
  const got = await operations.get(group, 'SDK-A')
  const byGroup = await Array.fromAsync(operations.listByResourceGroup(group))
  const bySubscription = await Array.fromAsync(operations.listBySubscription())
  const updated = await operations.update(group, 'sdk-a', { tags: { stage: 'changed' } })
  const missing = await operations
    .get(group, 'none')
    .catch((error: unknown) => error as { code: string; statusCode: number })
  const credentials = await operations
    .listClusterUserCredential(group, 'sdk-a', { authenticationMethod: 'AAD', clientProxy: true })
    .then((result) => ({
      kubeconfigs: result.kubeconfigs?.length,
      relay: result.hybridConnectionConfig?.hybridConnectionName,
    }))
    .catch((error: unknown) => ({ code: (error as { code: string }).code }))
  for (const name of names) await operations.beginDeleteAndWait(group, name)
  const left = await Array.fromAsync(operations.listByResourceGroup(group))
  return {
    states: created.map((item) => item.provisioningState),
    connectivity: got.connectivityStatus,
    id: got.id,
    byGroup: byGroup.map((item) => item.name),
    bySubscription: bySubscription.map((item) => item.name),
    tags: updated.tags,
    missing: {
      code: (missing as { code: string }).code,
      status: (missing as { statusCode: number }).statusCode,
    },
    credentials,
    left: left.length,
  }
}

const verbs: Record<string, () => Promise<unknown>> = { identity, subscriptions, clusters }
const chosen = verbs[verb]
if (chosen === undefined) throw new Error(`unknown verb ${verb}`)
process.stdout.write(JSON.stringify(await chosen()))
