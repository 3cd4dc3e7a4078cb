/**
 * Exec sessions a second on a real node, with real kubectl processes, direct and through the proxy.
 * @module
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { startCluster } from '@sallyport/cluster'
import { sallyportOk, sallyportStart } from '@sallyport/e2e/actors'
import { ok } from '@sallyport/e2e/process'
import type { Row } from './measure.ts'
import type { Bench } from './path.ts'

const parallel = 4
const sessions = 24

async function sessionsPerSecond(kubectl: string, kubeconfig: string): Promise<number> {
  const one = () => ok(kubectl, [`--kubeconfig=${kubeconfig}`, 'exec', 'bench', '--', 'true'])
  await one()
  const started = performance.now()
  let left = sessions
  const worker = async () => {
    while (left-- > 0) await one()
  }
  await Promise.all(Array.from({ length: parallel }, worker))
  return sessions / ((performance.now() - started) / 1000)
}

/** Starts a node, connects it under its own name, and compares; needs root, as the node does. */
export async function measureExec(bench: Bench, say: (text: string) => void): Promise<Row[]> {
  const cluster = await startCluster({
    size: 'node',
    onProgress: ({ step, state }) => {
      if (state === 'start') say(`node: ${step}`)
    },
  })
  const ends: (() => Promise<unknown>)[] = [() => cluster.stop()]
  try {
    const admin = [`--kubeconfig=${cluster.kubeconfig}`]
    const binding = [
      'create',
      'clusterrolebinding',
      'bench',
      '--clusterrole=cluster-admin',
      `--user=${bench.hub.objectId}`,
    ]
    await ok(cluster.kubectl, [...admin, ...binding])
    const run = [
      'run',
      'bench',
      `--image=${cluster.image ?? ''}`,
      '--image-pull-policy=Never',
      '--',
      'sleep',
      '100000',
    ]
    await ok(cluster.kubectl, [...admin, ...run])
    await ok(cluster.kubectl, [
      ...admin,
      'wait',
      '--for=condition=Ready',
      'pod/bench',
      '--timeout=60s',
    ])
    const named = ['-n', 'node', '-g', 'bench']
    ends.push(() => sallyportOk(bench.user, ['delete', ...named, '--yes']))
    await sallyportOk(bench.user, [
      'connect',
      ...named,
      '--kube-config',
      cluster.kubeconfig,
      '--yes',
    ])
    const directory = join(bench.directory, 'node')
    mkdirSync(directory)
    const kubeconfig = join(directory, 'proxy.kubeconfig')
    const proxy = sallyportStart(bench.user, ['proxy', ...named, '--port', '0', '-f', kubeconfig])
    ends.push(() => proxy.stop('SIGINT'))
    await proxy.waitFor(/ready/i)
    const direct = await sessionsPerSecond(cluster.kubectl, cluster.kubeconfig)
    const through = await sessionsPerSecond(cluster.kubectl, kubeconfig)
    return [{ what: `kubectl exec, ${parallel} at a time`, unit: '1/s', direct, through }]
  } finally {
    for (const end of ends.reverse()) await end()
  }
}
