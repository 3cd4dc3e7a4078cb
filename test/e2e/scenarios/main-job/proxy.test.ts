/**
 * Manners of `sallyport proxy`: readiness, ports, kubeconfig, tokens, child commands.
 * @module
 */
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import { runAs, sallyport, sallyportStart } from '../../src/actors.ts'
import { ok, run } from '../../src/process.ts'
import {
  applyDirect,
  cluster,
  directOk,
  grant,
  kubectl,
  kubectlOk,
  lab,
  revoke,
  startProxy,
} from '../../src/proxied.ts'
import { verifies } from '../../src/verifies.ts'

beforeAll(() => grant('proxy-view', 'view'))
afterAll(() => revoke('proxy-view'))

const proxyArgs = (...more: string[]) => [
  'connectedk8s',
  'proxy',
  '-n',
  lab().clusterName,
  '-g',
  lab().resourceGroup,
  ...more,
]

verifies('proxy.ready', async () => {
  const proxy = await startProxy()
  const text = proxy.running.stderr() + proxy.running.stdout()
  expect(text.match(/ready/gi)).toHaveLength(1)
  expect(await kubectlOk(proxy, ['get', 'ns', '-o', 'name'])).toContain('namespace/default')
  const end = await proxy.stop()
  expect(end.code).toBe(130)
})

verifies('proxy.port', async () => {
  const { developer } = lab()
  const kubeconfig = join(developer.home, 'port.kubeconfig')
  const running = sallyportStart(developer, proxyArgs('--port', '47123', '-f', kubeconfig))
  await running.waitFor(/ready/i)
  expect(readFileSync(kubeconfig, 'utf8')).toContain('server: https://127.0.0.1:47123')
  await running.stop('SIGINT')
})

verifies('proxy.file', async () => {
  const { developer } = lab()
  const target = join(developer.home, 'new-dir-less.kubeconfig')
  const running = sallyportStart(developer, proxyArgs('--port', '0', '-f', target))
  await running.waitFor(/ready/i)
  expect(statSync(target).mode & 0o777).toBe(0o600)
  await running.stop('SIGINT')
  const home = join(developer.home, '.kube', 'config')
  const printed = sallyportStart(developer, proxyArgs('--port', '0', '-f', '-'))
  await printed.waitFor(/ready/i)
  const copy = join(developer.home, 'printed.kubeconfig')
  writeFileSync(copy, printed.stdout(), { mode: 0o600 })
  const out = await kubectlOk(
    { actor: developer, kubeconfig: copy, running: printed, stop: () => printed.stop() },
    ['get', 'ns', '-o', 'name'],
  )
  expect(out).toContain('namespace/default')
  expect(existsSync(home)).toBe(false)
  await printed.stop('SIGINT')
})

verifies('proxy.kube-context', async () => {
  const proxy = await startProxy(['--kube-context', 'my-shop'])
  expect(await kubectlOk(proxy, ['config', 'current-context'])).toBe('my-shop\n')
  expect(await kubectlOk(proxy, ['--context', 'my-shop', 'get', 'ns', '-o', 'name'])).toContain(
    'default',
  )
  await proxy.stop()
})

/** The service account of the seed page, with its Secret token. */
async function serviceAccountToken(): Promise<string> {
  await applyDirect({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'demo-user', namespace: 'default' },
  })
  await applyDirect({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'demo-user-binding' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
    subjects: [{ kind: 'ServiceAccount', name: 'demo-user', namespace: 'default' }],
  })
  return (await directOk(['create', 'token', 'demo-user', '-n', 'default'])).trim()
}

verifies('proxy.token', async () => {
  const token = await serviceAccountToken()
  const file = join(lab().developer.home, 'token')
  writeFileSync(file, `${token}\n`, { mode: 0o600 })
  for (const args of [
    ['--token', token],
    ['--token-file', file],
  ]) {
    const proxy = await startProxy(args)
    const who = await kubectlOk(proxy, [
      'auth',
      'whoami',
      '-o',
      'jsonpath={.status.userInfo.username}',
    ])
    expect(who).toBe('system:serviceaccount:default:demo-user')
    // Not pods: those of an earlier file may still be going while the two lists are made.
    expect(await kubectlOk(proxy, ['get', 'services', '-A', '-o', 'name'])).toBe(
      await directOk(['get', 'services', '-A', '-o', 'name']),
    )
    expect((await kubectl(proxy, ['get', 'secrets', '-A'])).stderr).toContain(
      'system:serviceaccount:default:demo-user',
    )
    await proxy.stop()
  }
  await directOk(['delete', 'clusterrolebinding', 'demo-user-binding'])
  await directOk(['delete', 'serviceaccount', 'demo-user', '-n', 'default'])
})

verifies('proxy.command', async () => {
  const { developer } = lab()
  const program = `${cluster().kubectl} auth whoami -o jsonpath={.status.userInfo.username}; exit 42`
  const result = await sallyport(developer, [
    ...proxyArgs('--port', '0'),
    '--',
    'sh',
    '-c',
    program,
  ])
  expect(result.stdout).toContain(lab().hub.objectId)
  expect(result.code).toBe(42)
  expect(existsSync(join(developer.home, '.kube', 'config'))).toBe(false)
})

verifies('proxy.restore', async () => {
  const { developer } = lab()
  const file = join(developer.home, 'kept', 'config')
  mkdirSync(join(developer.home, 'kept'), { recursive: true })
  const before = [
    '# my clusters, do not touch',
    'apiVersion: v1',
    'kind: Config',
    'current-context: mine # the one',
    'clusters:',
    '- name: mine',
    '  cluster: {server: "https://10.0.0.1:6443"}',
    'contexts:',
    '- context:',
    '    cluster: mine',
    '    user: me',
    '  name: mine',
    'users:',
    '- name: me',
    '  user: {token: abc}   # short-lived',
    '',
  ].join('\n')
  writeFileSync(file, before, { mode: 0o600 })
  const running = sallyportStart(developer, proxyArgs('--port', '0'), { env: { KUBECONFIG: file } })
  await running.waitFor(/ready/i)
  const during = readFileSync(file, 'utf8')
  expect(during).toContain('# my clusters, do not touch')
  expect(during).toContain('# short-lived')
  const current = await runAs(developer, [cluster().kubectl, 'config', 'current-context'], {
    env: { KUBECONFIG: file },
  })
  expect(current.stdout).toBe(`${lab().clusterName}\n`)
  await running.stop('SIGINT')
  expect(readFileSync(file, 'utf8')).toBe(before)
})

verifies('proxy.local-tls', async () => {
  const { developer } = lab()
  const proxy = await startProxy()
  const server = await kubectlOk(proxy, [
    'config',
    'view',
    '--minify',
    '-o',
    'jsonpath={.clusters[0].cluster.server}',
  ])
  const stranger = await run(
    'curl',
    ['-sk', '--max-time', '5', '-o', '/dev/null', '-w', '%{http_code}', `${server}/version`],
    {
      netns: lab().network.laptop,
    },
  )
  expect(stranger.code).not.toBe(0)
  expect(stranger.stdout).toBe('000')
  const listening = await ok('ss', ['-ltnH'], { netns: lab().network.laptop })
  const { port } = new URL(server)
  expect(listening).toContain(`127.0.0.1:${port}`)
  expect(listening).not.toContain(`0.0.0.0:${port}`)
  await kubectlOk(proxy, ['get', 'ns'])
  await proxy.stop()
  expect(developer.home).not.toBe('')
})
