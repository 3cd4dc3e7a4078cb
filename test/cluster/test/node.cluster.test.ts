import { execFileSync } from 'node:child_process'
import { networkInterfaces } from 'node:os'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ClusterState } from '../src/cluster-state.ts'
import { startCluster, type Cluster } from '../src/index.ts'
import { kubectl, type Answer } from './kubectl.ts'
import { leftoversOf, stateOf } from './leftovers.ts'

const netns = `sallyport-test-${process.pid}`
const run = (...words: string[]): string => execFileSync('ip', words, { encoding: 'utf8' })

function podManifest(image: string | undefined): string {
  const script = 'echo hello from the pod; trap "exit 0" TERM; while :; do sleep 1; done'
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'box' },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'box', image, imagePullPolicy: 'Never', command: ['sh', '-c', script] }],
    },
  })
}

beforeAll(() => {
  run('netns', 'add', netns)
})

afterAll(() => {
  run('netns', 'delete', netns)
})

describe.each([
  { place: 'a namespace of its own', options: {}, where: {} },
  { place: "the caller's namespace", options: { netns }, where: { netns } },
])('a node in $place', ({ options, where }) => {
  let cluster: Cluster
  let state: ClusterState
  const k = (parameters: string[], input?: string): Answer =>
    kubectl(cluster, parameters, { ...where, ...(input === undefined ? {} : { input }) })

  beforeAll(async () => {
    cluster = await startCluster({ size: 'node', ...options })
    state = await stateOf(cluster.directory)
    expect(k(['apply', '-f', '-'], podManifest(cluster.image)).status).toBe(0)
    expect(k(['wait', '--for=condition=Ready', 'pod/box', '--timeout=60s'])).toMatchObject({
      status: 0,
    })
  })

  afterAll(async () => {
    await cluster.stop()
    expect(await leftoversOf(state)).toEqual([])
  })

  test('has all programs and a Ready node', () => {
    expect(Object.keys(cluster.pids()).sort()).toEqual([
      'containerd',
      'etcd',
      'kube-apiserver',
      'kube-controller-manager',
      'kube-proxy',
      'kube-scheduler',
      'kubelet',
    ])
    expect(k(['get', 'nodes']).stdout).toMatch(/sallyport-node +Ready/)
  })

  test('exec carries standard input, output and exit codes; logs are there', () => {
    expect(k(['exec', '-i', 'box', '--', 'cat'], 'in and out')).toMatchObject({
      status: 0,
      stdout: 'in and out',
    })
    expect(k(['exec', 'box', '--', 'sh', '-c', 'exit 7']).status).toBe(7)
    expect(k(['logs', 'box']).stdout).toBe('hello from the pod\n')
  })

  test('a pod reaches the API server by its service address', () => {
    const script =
      'nc -w 5 10.96.0.1 443 </dev/null && test -s /run/secrets/kubernetes.io/serviceaccount/token'
    expect(k(['exec', 'box', '--', 'sh', '-c', script.replace('/run/', '/var/run/')]).status).toBe(
      0,
    )
  })

  test('Deployments make pods that go when they are deleted', () => {
    const create = [
      'create',
      'deployment',
      'web',
      `--image=${cluster.image ?? ''}`,
      '--dry-run=client',
      '-o',
      'json',
    ]
    const manifest = JSON.parse(k([...create, '--', 'tail', '-f', '/dev/null']).stdout) as {
      spec: {
        template: {
          spec: { containers: Record<string, unknown>[]; terminationGracePeriodSeconds?: number }
        }
      }
    }
    manifest.spec.template.spec.containers[0]!['imagePullPolicy'] = 'Never'
    manifest.spec.template.spec.terminationGracePeriodSeconds = 0
    expect(k(['apply', '-f', '-'], JSON.stringify(manifest)).status).toBe(0)
    expect(k(['rollout', 'status', 'deployment/web', '--timeout=60s']).status).toBe(0)
    expect(k(['delete', 'deployment', 'web', '--cascade=foreground', '--timeout=60s']).status).toBe(
      0,
    )
  })

  test('a service account token Secret gets a token', () => {
    const secret = JSON.stringify({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'bot', annotations: { 'kubernetes.io/service-account.name': 'default' } },
      type: 'kubernetes.io/service-account-token',
    })
    expect(k(['apply', '-f', '-'], secret).status).toBe(0)
    const wait = ['wait', '--for=jsonpath={.data.token}', 'secret/bot', '--timeout=20s']
    expect(k(wait).status).toBe(0)
  })
})

describe('several at once', () => {
  test('a node beside a node beside a control plane; the host is left as it was', async () => {
    const before = Object.keys(networkInterfaces()).sort()
    const rules = (): string =>
      execFileSync('iptables-save', { encoding: 'utf8' })
        .replace(/^#.*\n/gm, '')
        .replace(/\[\d+:\d+\]/g, '')
    const rulesBefore = rules()
    const started = await Promise.allSettled([
      startCluster({ size: 'node' }),
      startCluster({ size: 'node' }),
      startCluster({ size: 'control-plane' }),
    ])
    const clusters = started.flatMap((result) =>
      result.status === 'fulfilled' ? result.value : [],
    )
    try {
      expect(started.map((result) => result.status)).toEqual(Array(3).fill('fulfilled'))
      for (const cluster of clusters) expect(kubectl(cluster, ['get', 'nodes']).status).toBe(0)
      expect(rules()).toBe(rulesBefore)
    } finally {
      await Promise.all(clusters.map((cluster) => cluster.stop()))
    }
    await expect.poll(() => Object.keys(networkInterfaces()).sort()).toEqual(before)
  })

  test('a second node in one namespace is refused and does not harm the first', async () => {
    const first = await startCluster({ size: 'node', netns })
    try {
      const second = startCluster({ size: 'node', netns })
      await expect(second).rejects.toMatchObject({ code: 'ERR_CLUSTER_USAGE' })
      expect(kubectl(first, ['get', 'nodes'], { netns }).stdout).toMatch(/Ready/)
      expect(run('-n', netns, 'link')).toContain('sallyport0')
    } finally {
      await first.stop()
    }
    const rules = execFileSync('nsenter', [`--net=/run/netns/${netns}`, '--', 'iptables-save'], {
      encoding: 'utf8',
    })
    expect(rules).not.toMatch(/^-A/m)
  })
})
