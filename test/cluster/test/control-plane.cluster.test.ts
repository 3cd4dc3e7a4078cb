import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startCluster, type Cluster, type ClusterProgress } from '../src/index.ts'
import { isAlive } from '../src/process-identity.ts'
import { kubectl } from './kubectl.ts'
import { leftoversOf, stateOf, watchTemporary } from './leftovers.ts'

const running: Cluster[] = []
const start = async (options: Partial<Parameters<typeof startCluster>[0]>): Promise<Cluster> => {
  const cluster = await startCluster({ size: 'control-plane', ...options })
  running.push(cluster)
  return cluster
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((cluster) => cluster.stop()))
})

describe('control plane', () => {
  test('comes up, answers, audits, and goes without a trace', async () => {
    const events: ClusterProgress[] = []
    const cluster = await start({ onProgress: (event) => events.push(event) })
    const state = await stateOf(cluster.directory)
    expect(Object.keys(cluster.pids())).toEqual(['etcd', 'kube-apiserver'])
    expect((await stat(cluster.kubeconfig)).mode & 0o777).toBe(0o600)
    expect(kubectl(cluster, ['auth', 'whoami', '-o', 'name']).status).toBe(0)
    const made = kubectl(cluster, ['create', 'configmap', 'proof', '--from-literal=a=b'])
    expect(made).toMatchObject({ status: 0, stdout: 'configmap/proof created\n' })
    const audit = (await readFile(cluster.auditLog, 'utf8')).trim().split('\n')
    const creation = audit.find(
      (line) => line.includes('"verb":"create"') && line.includes('proof'),
    )
    expect(creation).toContain('"username":"kubernetes-admin"')
    const chosen = events.find((event) => event.step === 'binaries' && event.state === 'done')
    expect(chosen?.detail).toContain(`Kubernetes ${cluster.version} from `)

    const identities = Object.values(state.processes)
    await Promise.all([cluster.stop(), cluster.stop()])
    await cluster.stop()
    expect(identities.filter(isAlive)).toEqual([])
    expect(await leftoversOf(state)).toEqual([])
    expect(cluster.pids()).toEqual({})
  })

  test('two at once do not see each other', async () => {
    const [one, two] = await Promise.all([start({}), start({})])
    expect(one.server).not.toBe(two.server)
    kubectl(one, ['create', 'namespace', 'only-in-one'])
    expect(kubectl(one, ['get', 'namespace', 'only-in-one']).status).toBe(0)
    expect(kubectl(two, ['get', 'namespace', 'only-in-one']).stderr).toContain('NotFound')
    const crossed = { kubectl: one.kubectl, kubeconfig: one.kubeconfig }
    expect(kubectl(crossed, ['--server', two.server, 'get', 'namespaces']).status).not.toBe(0)
  })

  test('with a controller-manager a service account token Secret gets its token', async () => {
    const cluster = await start({ controllerManager: true })
    const secret = JSON.stringify({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'bot', annotations: { 'kubernetes.io/service-account.name': 'default' } },
      type: 'kubernetes.io/service-account-token',
    })
    expect(kubectl(cluster, ['apply', '-f', '-'], { input: secret }).status).toBe(0)
    const wait = ['wait', '--for=jsonpath={.data.token}', 'secret/bot', '--timeout=20s']
    expect(kubectl(cluster, wait).status).toBe(0)
    const encoded = kubectl(cluster, [
      'get',
      'secret',
      'bot',
      '-o',
      'jsonpath={.data.token}',
    ]).stdout
    const token = Buffer.from(encoded, 'base64').toString()
    const anonymous = ['--kubeconfig=/dev/null', `--server=${cluster.server}`]
    const asBot = [...anonymous, `--certificate-authority=${cluster.caFile}`, `--token=${token}`]
    const answer = kubectl(cluster, [
      ...asBot,
      'auth',
      'whoami',
      '-o',
      'jsonpath={.status.userInfo.username}',
    ])
    expect(answer.stdout).toBe('system:serviceaccount:default:default')
  })

  test('a directory of the caller stays, without what only programs need', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'kept-'))
    try {
      const cluster = await start({ directory })
      await cluster.stop()
      expect(await stat(cluster.auditLog)).toBeDefined()
      await expect(stat(join(directory, 'etcd'))).rejects.toThrow('ENOENT')
    } finally {
      await rm(directory, { recursive: true })
    }
  })
})

describe.runIf(process.getuid?.() === 0)('in a network namespace', () => {
  const netns = `sallyport-test-${process.pid}`
  const inside = '192.0.2.7'
  const ip = (...words: string[]): string => execFileSync('ip', words, { encoding: 'utf8' })

  beforeEach(() => {
    ip('netns', 'add', netns)
    ip('-n', netns, 'link', 'add', 'extra', 'type', 'bridge')
    ip('-n', netns, 'address', 'add', `${inside}/32`, 'dev', 'extra')
  })
  afterEach(() => {
    ip('netns', 'delete', netns)
  })

  test('it answers there at loopback and at the address asked for, and nowhere else', async () => {
    const cluster = await start({ netns, address: inside })
    const port = new URL(cluster.server).port
    const question = ['get', '--raw', '/version']
    expect(cluster.server).toBe(`https://127.0.0.1:${port}`)
    expect(kubectl(cluster, question, { netns }).status).toBe(0)
    const other = [`--server=https://${inside}:${port}`, ...question]
    expect(kubectl(cluster, other, { netns }).stdout).toContain(cluster.version)
    expect(kubectl(cluster, ['--request-timeout=2s', ...question]).status).not.toBe(0)
  })

  test('one that does not exist is refused before anything is made', async () => {
    const temporary = await watchTemporary()
    const attempt = start({ netns: 'sallyport-none' })
    await expect(attempt).rejects.toThrow('ip netns add sallyport-none')
    expect(temporary.leftovers()).toEqual([])
    await temporary.remove()
  })
})

describe('a start that does not succeed', () => {
  test('names the component, its last words and its log, and leaves nothing: taken port', async () => {
    const taken = createServer()
    const port = await new Promise<number>((resolve) => {
      taken.listen(0, '127.0.0.1', () => {
        const address = taken.address()
        resolve(typeof address === 'object' && address !== null ? address.port : 0)
      })
    })
    const temporary = await watchTemporary()
    try {
      const error: unknown = await start({ apiServerPort: port }).catch((reason: unknown) => reason)
      expect(error).toMatchObject({ code: 'ERR_CLUSTER_COMPONENT' })
      const { message } = error as Error
      expect(message).toContain('kube-apiserver ended with exit code 1')
      expect(message).toContain('address already in use')
      const log = /log: (.*)$/.exec(message)?.[1] ?? ''
      expect(await readFile(log, 'utf8')).toContain('address already in use')
      expect(temporary.leftovers()).toEqual([])
    } finally {
      taken.close()
      await temporary.remove()
    }
  })

  test('a cancelled start leaves nothing', async () => {
    const temporary = await watchTemporary()
    const controller = new AbortController()
    const onProgress = ({ step, state }: ClusterProgress): void => {
      if (step === 'control plane' && state === 'start')
        setTimeout(() => {
          controller.abort()
        }, 300)
    }
    const attempt = start({ signal: controller.signal, onProgress })
    await expect(attempt).rejects.toMatchObject({ code: 'ERR_CLUSTER_ABORTED' })
    expect(temporary.leftovers()).toEqual([])
    await temporary.remove()
  })
})
