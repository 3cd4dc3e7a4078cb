/**
 * The verb matrix with the kubectl of the cluster's own version, each compared with direct.
 * @module
 */
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import { runAs, startAs } from '../../src/actors.ts'
import { eventually, ok } from '../../src/process.ts'
import {
  cluster,
  direct,
  directOk,
  grant,
  kubectl,
  kubectlOk,
  kubectlStart,
  lab,
  revoke,
  startProxy,
  type Proxy,
} from '../../src/proxied.ts'
import { verifies } from '../../src/verifies.ts'
import { createWorkload, podManifest, removeWorkload } from '../../src/workload.ts'

const namespace = 'verbs'
const pod = 'shop'
const inPod = ['-n', namespace, pod]
let proxy: Proxy

beforeAll(async () => {
  await grant('verbs-admin', 'cluster-admin')
  await createWorkload(namespace, pod)
  proxy = await startProxy()
})
afterAll(async () => {
  await proxy.stop()
  await removeWorkload(namespace)
  await revoke('verbs-admin')
})

/** Runs the same kubectl words through the proxy and direct; both must answer the same. */
async function sameAsDirect(args: string[]): Promise<string> {
  const through = await kubectl(proxy, args)
  const beside = await direct(args)
  expect(through).toEqual(beside)
  expect(through.code).toBe(0)
  return through.stdout
}

verifies('kubectl.get', async () => {
  expect(await sameAsDirect(['get', 'pods', '-A', '-o', 'name'])).toContain(`pod/${pod}`)
  await sameAsDirect(['get', 'clusterroles', '-o', 'json'])
  await sameAsDirect(['api-resources', '-o', 'name'])
  const missing = ['get', 'pod', 'nothing', '-n', namespace]
  expect(await kubectl(proxy, missing)).toEqual(await direct(missing))
})

verifies('kubectl.watch', async () => {
  const watch = kubectlStart(proxy, ['get', 'configmaps', '-n', namespace, '-w', '-o', 'name'])
  await watch.waitFor(/kube-root-ca/)
  await directOk(['create', 'configmap', 'seen', '-n', namespace])
  await watch.waitFor(/configmap\/seen/)
  await watch.stop('SIGINT')
})

verifies('kubectl.apply', async () => {
  const manifest = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'applied', namespace },
    data: { a: '1' },
  }
  await kubectlOk(proxy, ['apply', '-f', '-'], { input: JSON.stringify(manifest) })
  const again = { ...manifest, data: { a: '2' } }
  await kubectlOk(proxy, ['apply', '--server-side', '--force-conflicts', '-f', '-'], {
    input: JSON.stringify(again),
  })
  expect(
    await directOk(['get', 'cm', 'applied', '-n', namespace, '-o', 'jsonpath={.data.a}']),
  ).toBe('2')
  await kubectlOk(proxy, ['delete', 'cm', 'applied', '-n', namespace])
  expect((await direct(['get', 'cm', 'applied', '-n', namespace])).code).toBe(1)
})

verifies('kubectl.logs', async () => {
  const args = ['logs', ...inPod, '--limit-bytes=40']
  expect(await sameAsDirect(args)).toContain('started')
})

verifies('kubectl.logs-follow', async () => {
  const follow = kubectlStart(proxy, ['logs', '-f', '--since=1s', ...inPod])
  const [, first] = await follow.waitFor(/line (\d+)/)
  await follow.waitFor(new RegExp(`line ${Number(first) + 3}\\b`))
  await follow.stop('SIGINT')
})

verifies('kubectl.exec.stdout', async () => {
  const args = ['exec', ...inPod, '--', 'sh', '-c', 'echo out; echo err >&2']
  const result = await kubectl(proxy, args)
  expect(result).toMatchObject({ code: 0, stdout: 'out\n' })
  expect(result.stderr).toContain('err')
})

verifies('kubectl.exec.stdin', async () => {
  const input = randomBytes(3_000_000)
  const sum = createHash('sha256').update(input).digest('hex')
  const out = await kubectlOk(proxy, ['exec', '-i', ...inPod, '--', 'sha256sum'], { input })
  expect(out).toContain(sum)
})

verifies('kubectl.exec.exit-code', async () => {
  expect((await kubectl(proxy, ['exec', ...inPod, '--', 'sh', '-c', 'exit 7'])).code).toBe(7)
})

verifies('kubectl.exec.tty', async () => {
  const socket = join(lab().developer.home, 'tmux.sock')
  const tmux = async (...args: string[]) => {
    const result = await runAs(
      lab().developer,
      ['tmux', '-f', '/dev/null', '-S', socket, ...args],
      { env: { TERM: 'xterm' } },
    )
    return result.stdout
  }
  const command = `${cluster().kubectl} --kubeconfig=${proxy.kubeconfig} exec -it -n ${namespace} ${pod} -- sh`
  await tmux('new-session', '-d', '-s', 'tty', '-x', '101', '-y', '33', command)
  const seen = (text: string) =>
    eventually(async () => {
      const screen = await tmux('capture-pane', '-p', '-t', 'tty')
      return screen.includes(text) ? screen : undefined
    }, `"${text}" on the terminal`)
  await seen('#')
  await tmux('send-keys', '-t', 'tty', 'stty size; tty', 'Enter')
  await seen('33 101')
  await seen('/dev/pts/')
  await tmux('resize-window', '-t', 'tty', '-x', '121', '-y', '41')
  await eventually(async () => {
    await tmux('send-keys', '-t', 'tty', 'clear; stty size', 'Enter')
    const screen = await tmux('capture-pane', '-p', '-t', 'tty')
    return screen.includes('41 121') ? screen : undefined
  }, 'the new size in the pod')
  await tmux('kill-server')
})

verifies('kubectl.attach', async () => {
  // The input stays open: kubectl ends an attach when its own stdin ends.
  const kubectlAttach = `${cluster().kubectl} --kubeconfig=${proxy.kubeconfig} attach -i -n ${namespace} ${pod}`
  const attach = startAs(lab().developer, [
    'sh',
    '-c',
    `(echo ping; exec sleep 60) | exec ${kubectlAttach}`,
  ])
  await attach.waitFor(/got ping/)
  await attach.stop('SIGKILL')
})

const bigBytes = 64 * 1024 * 1024
const sumInPod = async (path: string) =>
  (await directOk(['exec', ...inPod, '--', 'sha256sum', path])).split(' ')[0]

verifies(
  ['kubectl.cp.to', 'kubectl.cp.from'],
  async () => {
    const local = join(lab().developer.home, 'big')
    const back = join(lab().developer.home, 'back')
    const bytes = randomBytes(bigBytes)
    const sum = createHash('sha256').update(bytes).digest('hex')
    writeFileSync(local, bytes)
    await kubectlOk(proxy, ['cp', local, `${namespace}/${pod}:/tmp/big`], { timeoutMs: 120_000 })
    expect(await sumInPod('/tmp/big')).toBe(sum)
    await kubectlOk(proxy, ['cp', `${namespace}/${pod}:/tmp/big`, back], { timeoutMs: 120_000 })
    expect(createHash('sha256').update(readFileSync(back)).digest('hex')).toBe(sum)
  },
  240_000,
)

verifies('kubectl.port-forward', async () => {
  const forward = kubectlStart(proxy, ['port-forward', '-n', namespace, `pod/${pod}`, ':8080'])
  const [, port = ''] = await forward.waitFor(/127\.0\.0\.1:(\d+)/)
  const fetches = Array.from({ length: 8 }, () =>
    runAs(lab().developer, ['curl', '-sS', '--max-time', '20', `http://127.0.0.1:${port}/`]),
  )
  for (const result of await Promise.all(fetches))
    expect(result).toMatchObject({ code: 0, stdout: 'hello\n' })
  await forward.stop('SIGINT')
})

verifies('kubectl.debug', async () => {
  const debug = kubectlStart(proxy, [
    'debug',
    '-n',
    namespace,
    `pod/${pod}`,
    `--image=${cluster().image}`,
    '--image-pull-policy=Never',
    '--attach',
    '--',
    'sh',
    '-c',
    'sleep 2; echo from-debug; sleep 1',
  ])
  await debug.waitFor(/from-debug/)
  await debug.ended
})

verifies('kubectl.auth.can-i', async () => {
  expect(await kubectlOk(proxy, ['auth', 'can-i', 'delete', 'nodes'])).toBe('yes\n')
  await grant('verbs-admin-2', 'view')
  await revoke('verbs-admin')
  const denied = await kubectl(proxy, ['auth', 'can-i', 'delete', 'nodes'])
  await grant('verbs-admin', 'cluster-admin')
  await revoke('verbs-admin-2')
  expect(denied).toMatchObject({ code: 1, stdout: 'no\n' })
})

verifies('kubectl.auth.whoami', async () => {
  const name = await kubectlOk(proxy, [
    'auth',
    'whoami',
    '-o',
    'jsonpath={.status.userInfo.username}',
  ])
  expect(name).toBe(lab().hub.objectId)
})

verifies('kubectl.wait', async () => {
  const waiting = kubectlStart(proxy, [
    'wait',
    '-n',
    namespace,
    '--for=condition=Ready',
    'pod/late',
    '--timeout=60s',
    '--for=create',
  ])
  await waiting.stop('SIGINT')
  await kubectlOk(proxy, ['apply', '-f', '-'], {
    input: JSON.stringify(podManifest(namespace, 'late')),
  })
  const out = await kubectlOk(proxy, [
    'wait',
    '-n',
    namespace,
    '--for=condition=Ready',
    'pod/late',
    '--timeout=60s',
  ])
  expect(out).toContain('condition met')
})

verifies('kubectl.edit', async () => {
  await directOk(['create', 'configmap', 'edited', '-n', namespace, '--from-literal=word=before'])
  const editor = join(lab().developer.home, 'editor.sh')
  writeFileSync(editor, '#!/bin/sh\nsed -i s/before/after/ "$1"\n', { mode: 0o755 })
  await kubectlOk(proxy, ['edit', 'cm', 'edited', '-n', namespace], {
    env: { KUBE_EDITOR: editor },
  })
  expect(
    await directOk(['get', 'cm', 'edited', '-n', namespace, '-o', 'jsonpath={.data.word}']),
  ).toBe('after')
  await ok('rm', [editor])
})
