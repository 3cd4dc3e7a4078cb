/**
 * `connectedk8s connect` and `delete` as processes, against a real hub: with and without role assignments in the cluster.
 * @module
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { clusterHash, rbacClusterMark } from '@sallyport/protocol'
import { writeAgentRecord } from '../../src/agents/agent-record.ts'
import { createOnboardingKey } from '../../src/agents/onboarding.ts'
import { signedIn, startRealHub, type RealHub } from '../hub/real-hub.ts'
import { startPlayedApiServer, type PlayedApiServer } from '../kubeconfig/played-api-server.ts'
import { cli, cliProcess, type CliResult } from '../run-cli.ts'

let hub: RealHub
let server: PlayedApiServer

beforeAll(async () => {
  hub = await startRealHub()
  server = await startPlayedApiServer()
}, 60_000)
afterAll(async () => {
  await server.stop()
  await hub.stop()
})

const ok = ({ code, stderr }: CliResult): void => {
  expect(code, stderr).toBe(0)
}

interface Place {
  home: string
  kubeconfig: string
  mark: string
  connect: (...more: string[]) => Promise<CliResult>
  /** Registers the cluster, and leaves the record of an agent that is not running any more. */
  register: () => Promise<void>
  remove: (...more: string[]) => Promise<CliResult>
  rbac: () => Promise<string>
}

/** A home that is signed in, with a cluster of this name; its agent ends with the test. */
async function place(name: string): Promise<Place> {
  const home = await signedIn(hub)
  const which = ['-n', name, '-g', 'connecting']
  const kubeconfig = server.kubeconfig(join(home, 'admin.conf'))
  const id = `/subscriptions/${hub.subscriptionId}/resourceGroups/connecting/providers/Microsoft.Kubernetes/connectedClusters/${name}`
  const remove = (...more: string[]) =>
    cli(['connectedk8s', 'delete', ...which, '--yes', ...more], { home })
  onTestFinished(async () => {
    await remove()
  })
  const query = ['--query', 'aadProfile.enableAzureRBAC', '-o', 'tsv']
  const connect = ['connectedk8s', 'connect', ...which, '--kube-config', kubeconfig, '--no-wait']
  return {
    home,
    kubeconfig,
    mark: rbacClusterMark(await clusterHash(id)),
    connect: (...more) => cliProcess([...connect, ...more], { home }),
    register: async () => {
      ok(await cli(['group', 'create', '-n', 'connecting'], { home }))
      const { publicKey } = createOnboardingKey()
      const properties = { agentPublicKeyCertificate: publicKey }
      const body = { location: 'local', identity: { type: 'SystemAssigned' }, properties }
      ok(await cli(['api', 'PUT', id, '-b', JSON.stringify(body)], { home }))
      const stateDirectory = join(home, 'state')
      await writeAgentRecord(join(home, '.config', 'sallyport'), {
        ...{ version: 1, clusterId: id, hub: hub.url, name, resourceGroup: 'connecting' },
        ...{ kubernetesUid: 'uid-of-kube-system', stateDirectory },
        ...{ logFile: join(stateDirectory, 'agent.log'), kubeconfig, context: 'admin' },
      })
    },
    remove,
    rbac: async () => (await cli(['show', ...which, ...query], { home })).stdout.trim(),
  }
}

describe('connect', () => {
  it('lets role assignments into a new cluster unless told not to, and leaves it so until told', async () => {
    const { connect, rbac } = await place('rbac')
    ok(await connect('--no-rbac-sync'))
    expect(await rbac()).toBe('false')
    ok(await connect())
    expect(await rbac()).toBe('false')
    ok(await connect('--enable-azure-rbac'))
    expect(await rbac()).toBe('true')
    const both = await connect('--enable-rbac-sync', '--no-rbac-sync')
    expect([both.code, both.stderr]).toEqual([2, expect.stringContaining('exclude each other')])
  })
})

describe('X151: delete', () => {
  it('stops the agent, then takes what it made out of the cluster', async () => {
    const { connect, remove, mark, rbac } = await place('removed')
    ok(await connect())
    expect(await rbac()).toBe('true')
    server.keep(`clusterrolebindings/sallyport.dev:${mark}:assignment:a`)
    server.keep(`clusterroles/sallyport.dev:${mark}:role:r`)
    server.keep('clusterroles/view', 'kube-apiserver')
    ok(await remove())
    expect(server.names()).toEqual(['view'])
  })

  it('deletes all the same when the API server refuses, and says what removes the rest', async () => {
    const { register, remove, mark, kubeconfig } = await place('refusing')
    await register()
    server.keep(`clusterroles/sallyport.dev:${mark}:role:r`)
    server.refuse = (line) => (line.startsWith('DELETE') ? 403 : undefined)
    onTestFinished(() => {
      server.refuse = undefined
      server.objects.length = 0
    })
    const result = await remove()
    ok(result)
    expect(result.stderr).toContain('not as you wish')
    expect(result.stderr).toContain(
      `kubectl --kubeconfig ${kubeconfig} --context admin delete clusterrolebindings,rolebindings,clusterroles -A -l sallyport.dev/cluster=${mark}`,
    )
  })

  it('with the kubeconfig gone says so; one that is named and cannot be read stops it first', async () => {
    const { home, register, remove, kubeconfig, mark } = await place('no-kubeconfig')
    await register()
    rmSync(kubeconfig)
    const stopped = await remove('--kube-config', `${kubeconfig}.other`)
    expect(stopped.code).not.toBe(0)
    expect(stopped.stderr).toContain('there is no such file')
    expect((await cli(['show', 'no-kubeconfig'], { home })).code).toBe(0)
    const result = await remove()
    ok(result)
    expect(result.stderr).toContain(`-l sallyport.dev/cluster=${mark}`)
  })

  it('takes another way to the cluster from --kube-config', async () => {
    const { home, register, remove, kubeconfig, mark } = await place('elsewhere')
    await register()
    rmSync(kubeconfig)
    server.keep(`clusterroles/sallyport.dev:${mark}:role:r`)
    ok(await remove('--kube-config', server.kubeconfig(join(home, 'other.conf'))))
    expect(server.names().some((name) => name.includes(mark))).toBe(false)
  })
})
