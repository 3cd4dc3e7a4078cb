/**
 * Unmodified Azure SDKs against the running hub.
 * @module
 */
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { runAs, sallyportOk } from '../../src/actors.ts'
import { lab } from '../../src/proxied.ts'
import { verifies } from '../../src/verifies.ts'

const program = fileURLToPath(new URL('../../src/arm-sdk.ts', import.meta.url))

async function sdk(verb: string): Promise<unknown> {
  const { hub, developer } = lab()
  const args = [
    process.execPath,
    program,
    verb,
    hub.url,
    hub.tenantId,
    hub.subscriptionId,
    hub.clientId,
  ]
  const result = await runAs(developer, args, {
    env: { NODE_EXTRA_CA_CERTS: hub.caFile, HUB_CLIENT_SECRET: hub.clientSecret },
  })
  expect(result, result.stderr).toMatchObject({ code: 0 })
  return JSON.parse(result.stdout)
}

verifies('arm.sdk.identity', async () => {
  expect(await sdk('identity')).toMatchObject({
    parts: 3,
    lastsSeconds: expect.toSatisfy((value: number) => value > 60) as unknown,
  })
})

verifies('arm.sdk.subscriptions', async () => {
  const { hub } = lab()
  expect(await sdk('subscriptions')).toEqual({
    ids: [hub.subscriptionId],
    state: 'Enabled',
    locations: ['local'],
    tenants: [hub.tenantId],
  })
})

verifies('arm.sdk.clusters', async () => {
  const { developer, hub } = lab()
  await sallyportOk(developer, ['group', 'create', '-n', 'sdk-group', '--location', 'local'])
  const seen = (await sdk('clusters')) as Record<string, unknown>
  expect(seen).toMatchObject({
    states: ['Succeeded', 'Succeeded', 'Succeeded'],
    connectivity: 'Connecting',
    id: `/subscriptions/${hub.subscriptionId}/resourceGroups/sdk-group/providers/Microsoft.Kubernetes/connectedClusters/sdk-a`,
    byGroup: ['sdk-a', 'sdk-b', 'sdk-c'],
    tags: { stage: 'changed' },
    missing: { code: 'ResourceNotFound', status: 404 },
    left: 0,
  })
  expect(seen['bySubscription']).toEqual(expect.arrayContaining(['sdk-a', 'sdk-b', 'sdk-c']))
  await sallyportOk(developer, ['group', 'delete', '-n', 'sdk-group', '--yes'])
})
