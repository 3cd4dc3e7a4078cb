/**
 * The agent dies, is doubled, changes its key, or is asked to stand for another cluster.
 * @module
 */
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import { sallyport, sallyportOk, sallyportStart } from '../../src/actors.ts'
import { connectCluster } from '../../src/lab.ts'
import { eventually } from '../../src/process.ts'
import { cluster, grant, kubectl, kubectlOk, lab, revoke, startProxy } from '../../src/proxied.ts'
import { verifies } from '../../src/verifies.ts'

beforeAll(() => grant('faults-agent-view', 'view'))
afterAll(() => revoke('faults-agent-view'))

interface AgentProcess {
  name: string
  pid: number
  stateDirectory: string
  logFile: string
}

async function agentOf(name: string): Promise<AgentProcess> {
  const list = JSON.parse(
    await sallyportOk(lab().operator, ['agent', 'list', '-o', 'json']),
  ) as AgentProcess[]
  const found = list.find((agent) => agent.name === name)
  if (found === undefined) throw new Error(`no agent process for ${name}`)
  return found
}

const status = async () => {
  const { operator, clusterName, resourceGroup } = lab()
  const text = await sallyportOk(operator, [
    'show',
    '-n',
    clusterName,
    '-g',
    resourceGroup,
    '--query',
    'connectivityStatus',
    '-o',
    'tsv',
  ])
  return text.trim()
}

verifies(
  'fault.kill-agent',
  async () => {
    const proxy = await startProxy()
    await kubectlOk(proxy, ['get', 'ns'])
    const before = await agentOf(lab().clusterName)
    process.kill(before.pid, 'SIGKILL')
    await connectCluster(lab())
    expect((await agentOf(lab().clusterName)).pid).not.toBe(before.pid)
    // The proxy that was running finds the new agent process by itself.
    await eventually(async () => {
      const result = await kubectl(proxy, ['get', 'ns', '-o', 'name'], { timeoutMs: 30_000 })
      return result.code === 0 ? true : undefined
    }, 'kubectl through the old proxy')
    await proxy.stop()
  },
  180_000,
)

verifies(
  'fault.agent-down',
  async () => {
    const { developer, operator, clusterName, resourceGroup } = lab()
    await sallyportOk(operator, ['agent', 'stop', clusterName])
    // An agent that was killed before is only missed when its lease runs out.
    await eventually(
      async () => ((await status()) === 'Offline' ? true : undefined),
      'Offline',
      90_000,
    )
    const target = join(developer.home, 'offline.kubeconfig')
    const result = await sallyport(developer, [
      'proxy',
      clusterName,
      '-g',
      resourceGroup,
      '--port',
      '0',
      '-f',
      target,
    ])
    expect(result, result.stderr).toMatchObject({ code: 6, stdout: '' })
    expect(result.stderr).toMatch(/offline: its agent last answered/)
    expect(existsSync(target)).toBe(false)
    await connectCluster(lab())
    expect(await status()).toBe('Connected')
  },
  180_000,
)

verifies(
  'fault.two-agents',
  async () => {
    const { operator, clusterName } = lab()
    const first = await agentOf(clusterName)
    const agent = (stateDirectory: string) =>
      sallyportStart(operator, [
        'agent',
        '--state-directory',
        stateDirectory,
        '--kubeconfig',
        cluster().kubeconfig,
      ])
    // One process a state directory: two would write the same files.
    expect((await agent(first.stateDirectory).ended).stderr).toContain('ERR_FILE_LOCKED')
    // A replica with the same keys, as the replicas of a Deployment share a Secret.
    const replica = join(operator.home, 'replica')
    cpSync(first.stateDirectory, replica, {
      recursive: true,
      filter: (path) => !path.endsWith('.lock'),
    })
    const second = agent(replica)
    await second.waitFor(/listening/)
    const proxies = [await startProxy(), await startProxy(), await startProxy(), await startProxy()]
    for (const proxy of proxies) await kubectlOk(proxy, ['get', 'ns'])
    await second.stop()
    for (const proxy of proxies) {
      await eventually(async () => {
        const result = await kubectl(proxy, ['get', 'ns'])
        return result.code === 0 ? true : undefined
      }, 'every proxy works with one agent left')
      await proxy.stop()
    }
    // Without an enrolment of its own nobody becomes this cluster's agent.
    const end = await agent(join(operator.home, 'thief')).ended
    expect(end.code).not.toBe(0)
    expect(end.stderr).toContain('remedy')
  },
  180_000,
)

verifies('fault.agent-key-changed', async () => {
  const { developer, clusterName, resourceGroup, hub } = lab()
  const known = join(developer.home, '.config', 'sallyport', 'known_clusters')
  const proxy = await startProxy()
  await proxy.stop()
  const before = readFileSync(known, 'utf8')
  const other = 'A'.repeat(43)
  writeFileSync(known, before.replace(/SHA256:[\w-]{43}/g, `SHA256:${other}`))
  const result = await sallyport(developer, [
    'proxy',
    clusterName,
    '-g',
    resourceGroup,
    '--port',
    '0',
    '-f',
    join(developer.home, 'changed'),
  ])
  expect(result, result.stderr).toMatchObject({ code: 5 })
  expect(result.stderr).toContain(other)
  expect(result.stderr).toContain(`${known}:`)
  expect(result.stderr).toContain(
    /SHA256:([\w-]{43})/.exec(before)?.[1] ?? 'no key in known_clusters',
  )
  writeFileSync(known, before)
  expect(hub.url).toContain('https')
})

verifies('fault.connect-other-cluster', async () => {
  const { operator, clusterName, resourceGroup } = lab()
  const { startCluster } = await import('@sallyport/cluster')
  const other = await startCluster({ size: 'control-plane', netns: lab().network.site })
  try {
    const result = await sallyport(operator, [
      'connect',
      '-n',
      clusterName,
      '-g',
      resourceGroup,
      '--kube-config',
      other.kubeconfig,
      '--yes',
    ])
    expect(result, result.stderr).toMatchObject({ code: 8 })
    expect(result.stderr).toContain(clusterName)
  } finally {
    await other.stop()
  }
  const proxy = await startProxy()
  await kubectlOk(proxy, ['get', 'ns'])
  await proxy.stop()
})

verifies(
  'fault.connect-interrupted',
  async () => {
    const { operator, resourceGroup } = lab()
    const name = 'interrupted'
    const args = [
      'connect',
      '-n',
      name,
      '-g',
      resourceGroup,
      '--kube-config',
      cluster().kubeconfig,
      '--yes',
    ]
    const whole = sallyportStart(operator, args)
    const [, count = ''] = await whole.waitFor(/1\/(\d+) /)
    expect((await whole.ended).code).toBe(0)
    await sallyportOk(operator, ['delete', '-n', name, '-g', resourceGroup, '--yes'])
    for (let step = 1; step <= Number(count); step++) {
      const running = sallyportStart(operator, args)
      await running.waitFor(new RegExp(`${step}/${count} `))
      const end = await running.stop('SIGINT')
      // The last steps may win the race against the signal; then connect simply succeeded.
      expect([130, 0], end.stderr).toContain(end.code)
      if (end.code === 130) expect(end.stderr).toMatch(/interrupted/i)
      await sallyportOk(operator, args, { timeoutMs: 120_000 })
      await sallyportOk(operator, ['delete', '-n', name, '-g', resourceGroup, '--yes'])
    }
  },
  400_000,
)
