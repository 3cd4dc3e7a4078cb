/**
 * What the hub says is in the cluster within seconds, and only that.
 * @module
 */
import { afterAll, beforeAll, expect } from 'vitest'
import { sallyport, sallyportOk } from '../../src/actors.ts'
import {
  allowEntry,
  assign,
  clusterScope,
  signInApplication,
  unassign,
  userRole,
} from '../../src/directory.ts'
import { eventually } from '../../src/process.ts'
import {
  applyDirect,
  direct,
  directOk,
  kubectl,
  kubectlStart,
  lab,
  startProxy,
  type Proxy,
} from '../../src/proxied.ts'
import { verifies } from '../../src/verifies.ts'
import { createWorkload, removeWorkload } from '../../src/workload.ts'

const viewer = 'Azure Arc Kubernetes Viewer'
const writer = 'Azure Arc Kubernetes Writer'
const namespace = 'roles'
const pod = 'shop'
let application: Awaited<ReturnType<typeof signInApplication>>
let proxy: Proxy

beforeAll(async () => {
  application = await signInApplication('role-application')
  await createWorkload(namespace, pod)
  await applyDirect({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'roles-other' } })
  proxy = await startProxy([], { actor: application.actor })
})
afterAll(async () => {
  await proxy.stop()
  await removeWorkload(namespace)
  await removeWorkload('roles-other')
  await sallyportOk(lab().operator, ['ad', 'sp', 'delete', '--id', application.appId])
})

/** Whether the API server lets this principal do this now; asked beside the API server, so that only the cluster answers. */
async function may(words: string[]): Promise<boolean> {
  const { stdout } = await direct(['auth', 'can-i', ...words, `--as=${application.objectId}`])
  return stdout.trim() === 'yes'
}

/** Milliseconds until the cluster answers so. */
async function untilMay(words: string[], expected: boolean): Promise<number> {
  const started = performance.now()
  await eventually(
    async () => ((await may(words)) === expected ? true : undefined),
    `can-i ${words.join(' ')}: ${expected ? 'yes' : 'no'}`,
  )
  return performance.now() - started
}

verifies('authorization.effect', async () => {
  const list = ['list', 'pods', '-n', namespace]
  expect(await may(list)).toBe(false)
  await assign(viewer, application.objectId)
  const effect = await untilMay(list, true)
  expect((await kubectl(proxy, ['get', 'pods', '-n', namespace])).code).toBe(0)
  await unassign(viewer, application.objectId)
  const removal = await untilMay(list, false)
  expect((await kubectl(proxy, ['get', 'pods', '-n', namespace])).stderr).toContain('Forbidden')
  console.log(`assignment in ${effect.toFixed(0)} ms, removal in ${removal.toFixed(0)} ms`)
  expect(Math.max(effect, removal)).toBeLessThan(6_000)
})

verifies('authorization.namespace', async () => {
  const scope = `${clusterScope()}/namespaces/${namespace}`
  await assign(writer, application.objectId, scope)
  await untilMay(['list', 'pods', '-n', namespace], true)
  for (const words of [
    ['get', 'pods', '-n', 'roles-other'],
    ['get', 'pods', '-A'],
    ['get', 'nodes'],
    ['get', 'secrets', '-n', 'kube-system'],
  ]) {
    expect((await kubectl(proxy, words)).stderr, words.join(' ')).toContain('Forbidden')
  }
  const echo = ['exec', '-n', namespace, pod, '--', 'echo', 'hello']
  const ran = await kubectl(proxy, echo)
  expect(ran, ran.stderr).toMatchObject({ code: 0, stdout: 'hello\n' })
  await unassign(writer, application.objectId, scope)
  await untilMay(['list', 'pods', '-n', namespace], false)
})

verifies('authorization.viewer', async () => {
  await assign(viewer, application.objectId)
  await untilMay(['list', 'pods', '-n', namespace], true)
  const secrets = `/api/v1/namespaces/${namespace}/secrets`
  const raw = [
    secrets,
    `${secrets}?watch=1`,
    `/api/v1/watch/namespaces/${namespace}/secrets`,
    `/api/v1/secrets?fieldSelector=type%3Dkubernetes.io%2Fservice-account-token`,
    `${secrets}/any`,
  ]
  for (const path of raw) {
    const result = await kubectl(proxy, ['get', '--raw', path])
    expect(result, path).toMatchObject({ code: 1 })
    expect(result.stderr, path).toMatch(/forbidden/i)
  }
  for (const words of [
    ['exec', '-n', namespace, pod, '--', 'true'],
    ['attach', '-n', namespace, pod],
    ['port-forward', '-n', namespace, pod, ':8080'],
    ['debug', '-n', namespace, pod, '--image=busybox', '--', 'true'],
    ['create', 'token', 'default', '-n', namespace],
    ['get', '--raw', `/api/v1/namespaces/${namespace}/pods/${pod}:8080/proxy/`],
    ['delete', 'pod', pod, '-n', namespace],
    ['get', 'secrets', '-n', namespace, '--as=system:admin'],
  ]) {
    const result = await kubectl(proxy, words)
    expect(result.code, words.join(' ')).toBe(1)
    expect(result.stderr, words.join(' ')).toMatch(/forbidden|--as/i)
  }
  await unassign(viewer, application.objectId)
})

verifies('authorization.gate-1', async () => {
  await assign(writer, application.objectId)
  await untilMay(['create', 'pods/exec', '-n', namespace], true)
  const exec = kubectlStart(proxy, [
    ...['exec', '-n', namespace, pod, '--', 'sh', '-c'],
    'while true; do echo alive; sleep 0.2; done',
  ])
  const watch = kubectlStart(proxy, ['get', 'pods', '-n', namespace, '-w', '-o', 'name'])
  const forward = kubectlStart(proxy, ['port-forward', '-n', namespace, pod, ':8080'])
  await exec.waitFor(/alive/)
  await watch.waitFor(/pod\/shop/)
  await forward.waitFor(/Forwarding from/)
  await unassign(userRole, application.objectId)
  const removed = performance.now()
  const refused = await eventually(async () => {
    const result = await kubectl(proxy, ['get', 'pods', '-n', namespace])
    return result.code === 0 ? undefined : performance.now() - removed
  }, 'new requests are refused')
  const ends = await Promise.all(
    [exec, watch].map(async (running) => {
      await running.ended
      return performance.now() - removed
    }),
  )
  const ended = await proxy.running.ended
  console.log(
    `gate 1 lost: new requests refused after ${refused.toFixed(0)} ms, streams cut after ${Math.max(...ends).toFixed(0)} ms`,
  )
  expect(Math.max(refused, ...ends)).toBeLessThan(10_000)
  expect(ended).toMatchObject({ code: 5 })
  expect(ended.stderr).toMatch(/listClusterUserCredential/)
  await forward.stop('SIGINT')
  const { clusterName, resourceGroup } = lab()
  const again = await sallyport(application.actor, [
    'proxy',
    clusterName,
    '-g',
    resourceGroup,
    '--',
    'true',
  ])
  expect(again.code).toBe(5)
  await allowEntry(application.objectId)
  proxy = await startProxy([], { actor: application.actor })
  await unassign(writer, application.objectId)
})

verifies('authorization.two-at-once', async () => {
  const { operator, developer } = lab()
  const words = [
    ...['role', 'assignment', 'create', '--role', viewer],
    ...['--assignee-object-id', application.objectId, '--scope', clusterScope()],
  ]
  const both = await Promise.all([sallyport(operator, words), sallyport(developer, words)])
  for (const { code, stderr } of both) expect(code, stderr).toBe(0)
  const listed = await sallyportOk(operator, [
    ...['role', 'assignment', 'list', '--assignee', application.objectId],
    ...['--scope', clusterScope(), '--role', viewer, '--query', '[].name', '-o', 'tsv'],
  ])
  expect(listed.trim().split('\n')).toHaveLength(1)
  await unassign(viewer, application.objectId)
  await untilMay(['list', 'pods', '-n', namespace], false)
})

verifies('authorization.expiry', async () => {
  const soon = new Date(Date.now() + 4_000).toISOString()
  await sallyportOk(lab().operator, [
    ...['role', 'assignment', 'create', '--role', viewer, '--expires-on', soon],
    ...['--assignee-object-id', application.objectId, '--scope', clusterScope()],
  ])
  await untilMay(['list', 'pods', '-n', namespace], true)
  await untilMay(['list', 'pods', '-n', namespace], false)
  expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(soon) - 1_000)
})

verifies('authorization.features', async () => {
  const { operator, clusterName, resourceGroup } = lab()
  const feature = (verb: string, name: string) =>
    sallyportOk(operator, [
      ...['connectedk8s', `${verb}-features`, '-n', clusterName, '-g', resourceGroup],
      ...['--features', name, ...(verb === 'disable' ? ['--yes'] : [])],
    ])
  await assign(viewer, application.objectId)
  await untilMay(['list', 'pods', '-n', namespace], true)
  await feature('disable', 'azure-rbac')
  await untilMay(['list', 'pods', '-n', namespace], false)
  await feature('enable', 'azure-rbac')
  await untilMay(['list', 'pods', '-n', namespace], true)
  await feature('disable', 'cluster-connect')
  const ended = await proxy.running.ended
  expect(ended.code, ended.stderr).not.toBe(0)
  const again = await sallyport(application.actor, [
    'proxy',
    clusterName,
    '-g',
    resourceGroup,
    '--',
    'true',
  ])
  expect(again.code, again.stderr).not.toBe(0)
  expect(again.stderr).toMatch(/cluster-connect/)
  await feature('enable', 'cluster-connect')
  proxy = await startProxy([], { actor: application.actor })
  expect((await kubectl(proxy, ['get', 'pods', '-n', namespace])).code).toBe(0)
  await unassign(viewer, application.objectId)
  await directOk(['get', 'ns'])
})
