/**
 * Who the request is in the cluster, and that Kubernetes RBAC decides.
 * @module
 */
import { afterAll, beforeAll, expect } from 'vitest'
import { runAs } from '../../src/actors.ts'
import { auditEvents } from '../../src/audit-log.ts'
import { eventually } from '../../src/process.ts'
import {
  cluster,
  directOk,
  grant,
  kubectl,
  kubectlOk,
  lab,
  revoke,
  startProxy,
  type Proxy,
} from '../../src/proxied.ts'
import { verifies } from '../../src/verifies.ts'

let proxy: Proxy

beforeAll(async () => {
  proxy = await startProxy()
})
afterAll(async () => {
  await proxy.stop()
  await revoke('identity-view')
})

verifies('rbac.deny', async () => {
  const result = await kubectl(proxy, ['get', 'pods', '-A'])
  expect(result.code).toBe(1)
  expect(result.stderr).toContain(
    `Error from server (Forbidden): pods is forbidden: User "${lab().hub.objectId}" cannot list resource "pods" in API group "" at the cluster scope`,
  )
})

verifies('rbac.allow', async () => {
  await grant('identity-view', 'view')
  // RBAC reaches the authorizer of the API server through its own watch.
  // Not pods: those of an earlier file may still be going while the two lists are made.
  const services = await eventually(async () => {
    const result = await kubectl(proxy, ['get', 'services', '-A', '-o', 'name'])
    return result.code === 0 ? result.stdout : undefined
  }, 'the binding takes effect')
  expect(services).toBe(await directOk(['get', 'services', '-A', '-o', 'name']))
  expect((await kubectl(proxy, ['get', 'secrets', '-A'])).stderr).toContain('secrets is forbidden')
})

verifies('identity.object-id', async () => {
  const info = JSON.parse(await kubectlOk(proxy, ['auth', 'whoami', '-o', 'json'])) as {
    status: { userInfo: { username: string; groups: string[] } }
  }
  expect(info.status.userInfo.username).toBe(lab().hub.objectId)
  expect(info.status.userInfo.groups).toEqual(['system:authenticated'])
  await kubectl(proxy, ['get', 'configmaps', '-n', 'audit-marker-1'])
  const events = await eventually(async () => {
    const found = auditEvents('audit-marker-1')
    return Promise.resolve(found.length > 0 ? found : undefined)
  }, 'the request in the audit log')
  for (const event of events) {
    expect(event.impersonatedUser?.username).toBe(lab().hub.objectId)
    expect(event.user.username).not.toBe(lab().hub.objectId)
  }
})

verifies('identity.request-id', async () => {
  await kubectl(proxy, ['get', 'configmaps', '-n', 'audit-marker-2'])
  const [event] = await eventually(async () => {
    const found = auditEvents('audit-marker-2')
    return Promise.resolve(found.length > 0 ? found : undefined)
  }, 'the request in the audit log')
  const sid = event?.impersonatedUser?.extra?.['sallyport.dev/sid']?.[0]
  expect(sid).toMatch(/^[0-9a-f-]{36}$/)
  expect(event?.auditID.startsWith(`${sid}.`)).toBe(true)
})

verifies('net.agent.isolated', async () => {
  const { developer, operator, network, hub } = lab()
  const port = new URL(cluster().server).port
  const connect = (host: string, to: string | number) => [
    'curl',
    '-sk',
    '--max-time',
    '4',
    `https://${host}:${to}/version`,
  ]
  // Nothing comes in: neither the API server nor any other port of the site answers the laptop or the hub.
  expect((await runAs(developer, connect(network.siteAddress, port))).code).not.toBe(0)
  expect(
    (await runAs({ home: developer.home, netns: network.hub }, connect(network.siteAddress, port)))
      .code,
  ).not.toBe(0)
  // From the site only the hub's port is reachable.
  expect(
    (await runAs(operator, ['curl', '-sk', '--max-time', '4', `${hub.url}/healthz`])).code,
  ).toBe(0)
  expect((await runAs(operator, connect(network.hubAddress, 8080))).code).not.toBe(0)
  expect((await runAs(operator, connect('10.77.1.1', 443))).code).not.toBe(0)
  expect((await runAs(operator, connect(network.laptopAddress, 443))).code).not.toBe(0)
})
