/**
 * The CLI against the running hub: sign-in, groups, connect, list, show, delete.
 * @module
 */
import { join } from 'node:path'
import { afterAll, expect } from 'vitest'
import { createActor, sallyport, sallyportOk } from '../../src/actors.ts'
import { login } from '../../src/hub-process.ts'
import { cluster, lab } from '../../src/proxied.ts'
import { verifies } from '../../src/verifies.ts'

const stranger = () => createActor(join(lab().directory, 'stranger'), lab().network.laptop)
const loginArgs = (...more: string[]) => [
  'login',
  '--service-principal',
  '-u',
  lab().hub.clientId,
  '--tenant',
  lab().hub.tenantId,
  '--hub',
  lab().hub.url,
  ...more,
]
const secret = (value: string) => ({ env: { SALLYPORT_CLIENT_SECRET: value } })

afterAll(async () => {
  await sallyport(lab().operator, ['group', 'delete', '-n', 'cli-group', '--yes'])
})

verifies('cli.login.trust', async () => {
  const { hub } = lab()
  const unknown = await sallyport(stranger(), loginArgs(), secret(hub.clientSecret))
  expect(unknown.code).toBe(2)
  expect(unknown.stderr).toContain('--hub-fingerprint')
  const wrong = await sallyport(
    stranger(),
    loginArgs('--hub-fingerprint', `sha256:${'00:'.repeat(31)}00`),
    secret(hub.clientSecret),
  )
  expect(wrong.code).toBe(5)
  await login(stranger(), hub)
  const again = await sallyport(stranger(), loginArgs(), secret(hub.clientSecret))
  expect(again.code).toBe(0)
})

verifies('cli.login.service-principal', async () => {
  const { hub } = lab()
  const actor = stranger()
  await login(actor, hub)
  const wrong = await sallyport(actor, loginArgs(), secret('not-the-secret'))
  expect(wrong.code).toBe(4)
  expect(wrong.stderr).not.toContain('not-the-secret')
  await login(actor, hub)
  await sallyportOk(actor, ['logout'])
  const out = await sallyport(actor, ['list'])
  expect(out.code).toBe(4)
  expect(out.stderr).toContain('sallyport login')
})

verifies('cli.account.show', async () => {
  const account = JSON.parse(
    await sallyportOk(lab().developer, ['account', 'show', '-o', 'json']),
  ) as Record<string, unknown>
  const text = JSON.stringify(account)
  for (const value of [
    lab().hub.url,
    lab().hub.tenantId,
    lab().hub.subscriptionId,
    lab().hub.clientId,
  ])
    expect(text).toContain(value)
  expect(text).not.toContain(lab().hub.clientSecret)
})

verifies('cli.group', async () => {
  const { operator } = lab()
  await sallyportOk(operator, ['group', 'create', '-n', 'cli-group', '--location', 'local'])
  const names = await sallyportOk(operator, ['group', 'list', '--query', '[].name', '-o', 'tsv'])
  expect(names.split('\n')).toContain('cli-group')
  await sallyportOk(operator, ['group', 'delete', '-n', 'cli-group', '--yes'])
  expect(
    await sallyportOk(operator, ['group', 'list', '--query', '[].name', '-o', 'tsv']),
  ).not.toContain('cli-group')
})

verifies(['cli.connect.steps', 'cli.connect.twice'], async () => {
  const { operator, clusterName, resourceGroup } = lab()
  const before = JSON.parse(
    await sallyportOk(operator, ['show', clusterName, '-o', 'json']),
  ) as Record<string, unknown>
  const again = await sallyport(
    operator,
    [
      'connectedk8s',
      'connect',
      '-n',
      clusterName,
      '-g',
      resourceGroup,
      '--kube-config',
      cluster().kubeconfig,
      '--yes',
      '-o',
      'json',
    ],
    { timeoutMs: 120_000 },
  )
  expect(again.code).toBe(0)
  expect(again.stderr).toMatch(/1\/\d/)
  const after = JSON.parse(again.stdout) as Record<string, unknown>
  expect(after).toMatchObject({ id: before['id'], connectivityStatus: 'Connected' })
})

verifies('cli.list', async () => {
  const { developer, clusterName, resourceGroup } = lab()
  const id = await sallyportOk(developer, [
    'connectedk8s',
    'show',
    '-n',
    clusterName,
    '-g',
    resourceGroup,
    '--query',
    'id',
    '-o',
    'tsv',
  ])
  expect(id).toMatch(
    /^\/subscriptions\/[0-9a-f-]{36}\/resourceGroups\/stores\/providers\/Microsoft\.Kubernetes\/connectedClusters\/store-042\n$/i,
  )
  const list = JSON.parse(
    await sallyportOk(developer, ['connectedk8s', 'list', '-o', 'json']),
  ) as Record<string, unknown>[]
  expect(list).toHaveLength(1)
  expect(list[0]).toMatchObject({
    name: clusterName,
    resourceGroup,
    connectivityStatus: 'Connected',
    totalNodeCount: 1,
  })
  expect(list[0]?.['kubernetesVersion']).toContain('1.34')
  const table = await sallyportOk(developer, ['list', '-o', 'table'])
  expect(table).toMatch(/NAME\s+.*\n[^\n]*store-042/)
})

verifies('cli.version', async () => {
  const version = JSON.parse(
    await sallyportOk(lab().developer, ['version', '-o', 'json']),
  ) as Record<string, unknown>
  expect(JSON.stringify(version)).toMatch(/"0\.1\.0".*"0\.1\.0"/)
})

verifies('cli.completion', async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    expect(await sallyportOk(lab().developer, ['completion', shell])).toContain('__complete')
  }
  expect(await sallyportOk(lab().developer, ['__complete', 'proxy', 'sto'])).toContain('store-042')
})

verifies('cli.delete', async () => {
  const { operator, resourceGroup } = lab()
  const kubeConfig = cluster().kubeconfig
  // The same Kubernetes may be connected under a second name; deleting that leaves the first alone.
  await sallyportOk(
    operator,
    ['connect', '-n', 'short-lived', '-g', resourceGroup, '--kube-config', kubeConfig, '--yes'],
    { timeoutMs: 120_000 },
  )
  const agents = await sallyportOk(operator, ['agent', 'list', '-o', 'json'])
  expect(agents).toContain('short-lived')
  await sallyportOk(operator, ['delete', '-n', 'short-lived', '-g', resourceGroup, '--yes'])
  expect((await sallyport(operator, ['show', '-n', 'short-lived', '-g', resourceGroup])).code).toBe(
    3,
  )
  expect(await sallyportOk(operator, ['agent', 'list', '-o', 'json'])).not.toContain('short-lived')
  expect(
    (await sallyport(operator, ['show', '-n', lab().clusterName, '-g', resourceGroup])).code,
  ).toBe(0)
})
