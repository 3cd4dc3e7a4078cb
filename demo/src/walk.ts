/**
 * The walk itself: each step is what a user would do, with the command he would type.
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { get } from 'node:https'
import { join } from 'node:path'
import { startCluster, type Cluster } from '@sallyport/cluster'
import { createActor, runAs, sallyportOk, sallyportStart, type Actor } from '@sallyport/e2e/actors'
import { freePort } from '@sallyport/e2e/free-port'
import { login, startHub, type HubInfo } from '@sallyport/e2e/hub-process'
import type { Stage } from './stage.ts'

/** What the walk needs. `ends` collects what undoes it. */
export interface WalkOptions {
  node: boolean
  directory: string
  signal: AbortSignal
  stage: Stage
  ends: (() => Promise<unknown>)[]
  transcript: (command: string, output: string) => void
}

/** What stands at the end of the walk. */
export interface Walk {
  kubeconfig: string
  kubectl: string
  auditLog: string
  relayBytes: number
  pod?: string
}

const name = 'demo'
const group = 'sandbox'

async function bringUpCluster(options: WalkOptions): Promise<Cluster> {
  return options.stage.step('Sandbox Kubernetes', async (step) => {
    const cluster = await startCluster({
      size: options.node ? 'node' : 'control-plane',
      controllerManager: true,
      signal: options.signal,
      onProgress: ({ step: what, state, detail, fraction, expectedSeconds }) => {
        if (state === 'done') return
        const percent = fraction === undefined ? '' : ` ${Math.round(fraction * 100)} %`
        const minutes = Math.ceil((expectedSeconds ?? 0) / 60)
        const expected = minutes < 2 ? '' : `, about ${minutes} min, the first time only`
        step.note(`${what}${detail === undefined ? '' : `: ${detail}`}${percent}${expected}`)
      },
    })
    options.ends.push(() => cluster.stop())
    step.note(`kube-apiserver ${cluster.version} at ${cluster.server}`)
    return cluster
  })
}

/** Starts the hub and signs the user in. */
async function startHubAndSignIn(options: WalkOptions, user: Actor): Promise<HubInfo> {
  const hub = await options.stage.step('Hub and relay', async (step) => {
    step.typed('sallyport hub --data-directory DIR --listen 127.0.0.1:PORT')
    const dataDirectory = join(options.directory, 'hub')
    const { running, info } = await startHub(user, {
      dataDirectory,
      address: '127.0.0.1',
      port: await freePort(),
      detached: true,
    })
    options.ends.push(() => running.stop())
    step.note(`${info.url}, CA ${info.fingerprint.slice(0, 22)}…`)
    return info
  })
  await options.stage.step('Sign in', async (step) => {
    step.typed('sallyport login --service-principal -u CLIENT_ID --hub URL')
    await login(user, hub)
    step.note(`as ${hub.objectId}`)
  })
  return hub
}

/** Connects the cluster and binds the user, as an operator would. */
async function connect(
  options: WalkOptions,
  cluster: Cluster,
  place: { user: Actor; hub: HubInfo },
): Promise<void> {
  const { user, hub } = place
  await options.stage.step('Connect the cluster', async (step) => {
    step.typed(`sallyport connect -n ${name} -g ${group} --kube-config FILE`)
    options.ends.push(() =>
      sallyportOk(user, ['delete', '-n', name, '-g', group, '--yes'], { detached: true }),
    )
    const args = [
      'connect',
      '-n',
      name,
      '-g',
      group,
      '--kube-config',
      cluster.kubeconfig,
      '--yes',
      '-o',
      'json',
    ]
    const stdout = await sallyportOk(user, args, { detached: true, timeoutMs: 120_000 })
    const { connectivityStatus } = JSON.parse(stdout) as { connectivityStatus?: string }
    step.note(`${name} is ${connectivityStatus ?? 'connected'}`)
  })
  await options.stage.step('Grant access', async (step) => {
    step.typed(
      'kubectl create clusterrolebinding demo-user-binding --clusterrole cluster-admin --user=OBJECT_ID',
    )
    const binding = [
      'create',
      'clusterrolebinding',
      'demo-user-binding',
      '--clusterrole',
      'cluster-admin',
    ]
    await kubectl(user, cluster, {
      kubeconfig: cluster.kubeconfig,
      args: [...binding, `--user=${hub.objectId}`],
    })
    step.note('cluster-admin, bound to the object id')
  })
}

/** kubectl with one kubeconfig; what it printed. */
async function kubectl(
  user: Actor,
  cluster: Cluster,
  call: { kubeconfig: string; args: string[] },
): Promise<string> {
  const result = await runAs(
    user,
    [cluster.kubectl, `--kubeconfig=${call.kubeconfig}`, ...call.args],
    { detached: true },
  )
  if (result.code !== 0) throw new Error(`kubectl ${call.args.join(' ')}: ${result.stderr.trim()}`)
  return result.stdout === '' ? result.stderr : result.stdout
}

const deployment = (image: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'checkout', namespace: 'default' },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'checkout' } },
    template: {
      metadata: { labels: { app: 'checkout' } },
      spec: {
        terminationGracePeriodSeconds: 0,
        containers: [
          { name: 'main', image, imagePullPolicy: 'Never', command: ['sleep', '1000000'] },
        ],
      },
    },
  },
})

/** Bytes the relay spliced so far, from the hub's own metrics. */
async function relayBytes(hub: HubInfo, signal: AbortSignal): Promise<number> {
  const text = await new Promise<string>((resolve, reject) => {
    const request = get(
      `${hub.url}/metrics`,
      { ca: readFileSync(hub.caFile), signal },
      (response) => {
        let body = ''
        response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
        response.on('end', () => {
          resolve(body)
        })
      },
    )
    request.on('error', reject)
  })
  const values = [...text.matchAll(/^sallyport_relay_(?:up|down)_bytes (\d+)/gm)]
  return values.reduce((sum, [, value]) => sum + Number(value), 0)
}

/** Applies a Deployment and looks at it, all through the proxy; the name of its pod when it runs. */
async function useKubectl(
  options: WalkOptions,
  cluster: Cluster,
  place: { user: Actor; kubeconfig: string },
): Promise<string | undefined> {
  const through = (...args: string[]) =>
    kubectl(place.user, cluster, { kubeconfig: place.kubeconfig, args })
  const shown: [string, string][] = []
  const pod = await options.stage.step('kubectl through it all', async (step) => {
    const show = async (...args: string[]) => {
      step.note(`kubectl ${args.slice(0, 3).join(' ')}`)
      shown.push([`kubectl ${args.join(' ')}`, await through(...args)])
    }
    const manifest = join(options.directory, 'checkout.json')
    writeFileSync(manifest, JSON.stringify(deployment(cluster.image ?? 'checkout')))
    await through('apply', '-f', manifest)
    if (options.node) await through('rollout', 'status', 'deployment/checkout', '--timeout=60s')
    else
      await through(
        'wait',
        '--for=jsonpath={.status.unavailableReplicas}=2',
        'deployment/checkout',
        '--timeout=30s',
      )
    await show('get', 'pods', '-A')
    await show('auth', 'whoami')
    step.note(`${shown.length} answers`)
    if (!options.node) return undefined
    const found =
      (await through('get', 'pods', '-l', 'app=checkout', '-o', 'name')).trim().split('\n')[0] ?? ''
    await show('exec', found, '--', 'uname', '-a')
    return found
  })
  for (const [command, output] of shown) options.transcript(command, output)
  return pod
}

/** Walks the main job; throws at the first step that fails. */
export async function walk(options: WalkOptions): Promise<Walk> {
  const user = createActor(join(options.directory, 'user'))
  const cluster = await bringUpCluster(options)
  const hub = await startHubAndSignIn(options, user)
  await connect(options, cluster, { user, hub })
  const kubeconfig = join(options.directory, 'kubeconfig')
  await options.stage.step('Proxy', async (step) => {
    step.typed(`sallyport proxy -n ${name} -g ${group}`)
    const args = ['proxy', '-n', name, '-g', group, '--port', '0', '-f', kubeconfig]
    const proxy = sallyportStart(user, args, { detached: true })
    options.ends.push(() => proxy.stop('SIGINT'))
    await proxy.waitFor(/ready/i)
    step.note('ready: a real request went through')
  })
  const pod = await useKubectl(options, cluster, { user, kubeconfig })
  const bytes = await relayBytes(hub, options.signal)
  const { kubectl: program, auditLog } = cluster
  return {
    kubeconfig,
    kubectl: program,
    auditLog,
    relayBytes: bytes,
    ...(pod === undefined ? {} : { pod }),
  }
}
