/**
 * The walk itself: each step is what a user would do, with the command he would type.
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { get } from 'node:https'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { startCluster, type Cluster } from '@sallyport/cluster'
import { daemon, run, sallyport, type Place } from './programs.ts'
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

interface Administrator {
  tenantId: string
  clientId: string
  clientSecret: string
  objectId: string
}

const name = 'demo'
const group = 'sandbox'

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no free port on 127.0.0.1')
  return address.port
}

async function bringUpCluster(options: WalkOptions): Promise<Cluster> {
  return options.stage.step('Sandbox Kubernetes', async (step) => {
    const cluster = await startCluster({
      size: options.node ? 'node' : 'control-plane',
      controllerManager: true,
      signal: options.signal,
      onProgress: ({ step: what, state, detail, fraction, expectedSeconds }) => {
        if (state === 'done') return
        const percent = fraction === undefined ? '' : ` ${Math.round(fraction * 100)} %`
        const expected =
          expectedSeconds === undefined
            ? ''
            : `, about ${Math.ceil(expectedSeconds / 60)} min the first time`
        step.note(`${what}${detail === undefined ? '' : `: ${detail}`}${percent}${expected}`)
      },
    })
    options.ends.push(() => cluster.stop())
    step.note(`kube-apiserver ${cluster.version} at ${cluster.server}`)
    return cluster
  })
}

/** Starts the hub; returns its URL, the CA fingerprint it printed and the administrator it made. */
async function startHub(options: WalkOptions, place: Place) {
  return options.stage.step('Hub and relay', async (step) => {
    const url = `https://127.0.0.1:${await freePort()}`
    const file = join(options.directory, 'administrator.json')
    const data = join(options.directory, 'hub')
    const { host } = new URL(url)
    const command = sallyport(
      'hub',
      '--data-directory',
      data,
      '--listen',
      host,
      '--administrator-file',
      file,
    )
    const hub = await daemon(command, /hub ready/, place)
    options.ends.push(() => hub.stop())
    const fingerprint = /sha256:[0-9a-f:]{64,}/i.exec(hub.output.stdout)?.[0] ?? ''
    step.note(`${url}, ${fingerprint.slice(0, 22)}…`)
    return {
      url,
      fingerprint,
      data,
      administrator: JSON.parse(readFileSync(file, 'utf8')) as Administrator,
    }
  })
}

/** Signs the user in, connects the cluster and binds the user, as an operator would. */
async function connect(
  options: WalkOptions,
  cluster: Cluster,
  place: Place,
): Promise<{ url: string; ca: string }> {
  const { url, fingerprint, administrator, data } = await startHub(options, place)
  await options.stage.step('Sign in', async (step) => {
    const signIn = [
      'login',
      '--service-principal',
      '-u',
      administrator.clientId,
      '--tenant',
      administrator.tenantId,
    ]
    const env = { ...place.env, SALLYPORT_CLIENT_SECRET: administrator.clientSecret }
    await run(sallyport(...signIn, '--hub', url, '--hub-fingerprint', fingerprint), {
      ...place,
      env,
    })
    step.note(`as ${administrator.objectId}`)
  })
  await options.stage.step('Connect the cluster', async (step) => {
    options.ends.push(() =>
      run(sallyport('delete', '-n', name, '-g', group, '--yes'), {
        ...place,
        signal: AbortSignal.timeout(30_000),
      }),
    )
    const { stdout } = await run(
      sallyport(
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
      ),
      place,
    )
    const { connectivityStatus } = JSON.parse(stdout) as { connectivityStatus?: string }
    step.note(`${name} is ${connectivityStatus ?? 'connected'}`)
  })
  await options.stage.step('Grant access', async (step) => {
    const binding = [
      'create',
      'clusterrolebinding',
      'demo-user-binding',
      '--clusterrole',
      'cluster-admin',
    ]
    const admin = [cluster.kubectl, `--kubeconfig=${cluster.kubeconfig}`]
    await run([...admin, ...binding, `--user=${administrator.objectId}`], place)
    step.note('cluster-admin, by the object id')
  })
  return { url, ca: join(data, 'ca.crt') }
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
async function relayBytes(hub: { url: string; ca: string }, signal: AbortSignal): Promise<number> {
  const text = await new Promise<string>((resolve, reject) => {
    const request = get(`${hub.url}/metrics`, { ca: readFileSync(hub.ca), signal }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
      response.on('end', () => {
        resolve(body)
      })
    })
    request.on('error', reject)
  })
  const values = [...text.matchAll(/^sallyport_relay_bytes_total\{[^}]*\} (\d+)/gm)]
  return values.reduce((sum, [, value]) => sum + Number(value), 0)
}

/** Walks the main job; throws at the first step that fails. */
export async function walk(options: WalkOptions): Promise<Walk> {
  const env = {
    SALLYPORT_CONFIG_DIR: join(options.directory, 'user'),
    KUBECONFIG: undefined,
    NO_COLOR: '1',
  }
  const place: Place = { env, signal: options.signal }
  const cluster = await bringUpCluster(options)
  const hub = await connect(options, cluster, place)
  const kubeconfig = join(options.directory, 'kubeconfig')
  await options.stage.step('Proxy', async (step) => {
    const proxy = await daemon(
      sallyport('proxy', '-n', name, '-g', group, '--port', '0', '-f', kubeconfig),
      /ready/i,
      place,
    )
    options.ends.push(() => proxy.stop())
    step.note('ready: a real request went through')
  })
  const through = async (...args: string[]) => {
    const { stdout, stderr } = await run(
      [cluster.kubectl, `--kubeconfig=${kubeconfig}`, ...args],
      place,
    )
    return stdout === '' ? stderr : stdout
  }
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
    if (!options.node) return undefined
    const found =
      (await through('get', 'pods', '-l', 'app=checkout', '-o', 'name')).trim().split('\n')[0] ?? ''
    await show('exec', found, '--', 'uname', '-a')
    return found
  })
  for (const [command, output] of shown) options.transcript(command, output)
  const bytes = await relayBytes(hub, options.signal)
  return {
    kubeconfig,
    kubectl: cluster.kubectl,
    auditLog: cluster.auditLog,
    relayBytes: bytes,
    ...(pod === undefined ? {} : { pod }),
  }
}
