/**
 * The whole system, real: hub in its namespace, a Kubernetes node and the agent behind the site's firewall, a developer
 * at a laptop. Started once for a run of the suite; scenarios attach to it.
 * @module
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startCluster, provideKubeTools, type Cluster, type KubeTool } from '@sallyport/cluster'
import { createActor, sallyportOk, sallyportStart, type Actor } from './actors.ts'
import { createNetwork, hubPort, removeNetwork, type Network } from './network.ts'
import type { Running } from './process.ts'

/** The hub under test and its first administrator. */
export interface HubInfo {
  url: string
  dataDirectory: string
  pid: number
  fingerprint: string
  /** The CA certificate the hub minted, PEM. */
  caFile: string
  tenantId: string
  subscriptionId: string
  clientId: string
  clientSecret: string
  objectId: string
}

/** The Kubernetes under test. */
export interface ClusterInfo {
  kubeconfig: string
  kubectl: string
  auditLog: string
  server: string
  caFile: string
  image: string
}

/** What scenarios need to know; plain data. */
export interface Lab {
  directory: string
  network: Network
  hub: HubInfo
  operator: Actor
  developer: Actor
  cluster?: ClusterInfo
  tools: KubeTool[]
  /** Name and resource group of the connected cluster. */
  clusterName: string
  resourceGroup: string
}

/** A running lab and its end. */
export interface RunningLab {
  lab: Lab
  stop: () => Promise<void>
}

/** Starts a hub as `actor` and reads the credentials it prints once. */
export async function startHub(
  actor: Actor,
  options: { dataDirectory: string; address: string; port: number; args?: string[] },
): Promise<{ running: Running; info: HubInfo }> {
  const administratorFile = join(actor.home, `administrator-${options.port}.json`)
  const listen = `${options.address}:${options.port}`
  const url = `https://${options.address}${options.port === 443 ? '' : `:${options.port}`}`
  const running = sallyportStart(actor, [
    'hub',
    '--data-directory',
    options.dataDirectory,
    '--listen',
    listen,
    '--public-url',
    url,
    '--administrator-file',
    administratorFile,
    ...(options.args ?? []),
  ])
  await running.waitFor(/hub ready/)
  const [, fingerprint = ''] = await running.waitFor(/CA fingerprint\s+(sha256:[0-9a-f:]+)/i)
  const administrator = JSON.parse(readFileSync(administratorFile, 'utf8')) as Record<
    string,
    string
  >
  const field = (name: string) => {
    const value = administrator[name]
    if (value === undefined) throw new Error(`the administrator file has no ${name}`)
    return value
  }
  return {
    running,
    info: {
      url,
      dataDirectory: options.dataDirectory,
      pid: running.pid,
      fingerprint,
      caFile: join(options.dataDirectory, 'ca.crt'),
      tenantId: field('tenantId'),
      subscriptionId: field('subscriptionId'),
      clientId: field('clientId'),
      clientSecret: field('clientSecret'),
      objectId: field('objectId'),
    },
  }
}

/** Signs an actor in as the administrator. */
export async function login(actor: Actor, hub: HubInfo): Promise<string> {
  return sallyportOk(
    actor,
    [
      'login',
      '--service-principal',
      '-u',
      hub.clientId,
      '--tenant',
      hub.tenantId,
      '--hub',
      hub.url,
      '--hub-fingerprint',
      hub.fingerprint,
    ],
    { env: { SALLYPORT_CLIENT_SECRET: hub.clientSecret } },
  )
}

async function startSite(lab: Lab, say: (text: string) => void): Promise<Cluster> {
  const cluster = await startCluster({
    size: 'node',
    netns: lab.network.site,
    onProgress: ({ step, state, detail }) => {
      if (state === 'done') say(`cluster: ${step} ${detail ?? ''}`)
    },
  })
  lab.cluster = {
    kubeconfig: cluster.kubeconfig,
    kubectl: cluster.kubectl,
    auditLog: cluster.auditLog,
    server: cluster.server,
    caFile: cluster.caFile,
    image: cluster.image ?? '',
  }
  return cluster
}

/** Connects the cluster of the lab as the operator, from inside the site. */
export async function connectCluster(lab: Lab): Promise<string> {
  if (lab.cluster === undefined) throw new Error('this lab has no cluster')
  return sallyportOk(
    lab.operator,
    [
      'connectedk8s',
      'connect',
      '-n',
      lab.clusterName,
      '-g',
      lab.resourceGroup,
      '--kube-config',
      lab.cluster.kubeconfig,
      '--yes',
    ],
    { timeoutMs: 180_000 },
  )
}

/** Starts hub and, when `withCluster`, the site; signs both actors in and connects the cluster. */
export async function startLab(options: {
  withCluster: boolean
  say: (text: string) => void
}): Promise<RunningLab> {
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-e2e-'))
  const ends: (() => Promise<unknown>)[] = []
  const stop = async () => {
    for (const end of ends.splice(0).reverse())
      await end().catch((error: unknown) => {
        options.say(String(error))
      })
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    const network = await createNetwork(String(process.pid))
    ends.push(() => removeNetwork(network))
    const tools = await provideKubeTools()
    const host = createActor(join(directory, 'hub'), network.hub)
    const { running, info } = await startHub(host, {
      dataDirectory: join(directory, 'hub', 'data'),
      address: network.hubAddress,
      port: hubPort,
    })
    ends.push(() => running.stop())
    options.say(`hub: ${info.url}`)
    const lab: Lab = {
      directory,
      network,
      hub: info,
      tools,
      operator: createActor(join(directory, 'operator'), network.site),
      developer: createActor(join(directory, 'developer'), network.laptop),
      clusterName: 'store-042',
      resourceGroup: 'stores',
    }
    await login(lab.operator, info)
    await login(lab.developer, info)
    if (options.withCluster) {
      const cluster = await startSite(lab, options.say)
      ends.push(() => cluster.stop())
      await connectCluster(lab)
      ends.push(() =>
        sallyportOk(lab.operator, [
          'connectedk8s',
          'delete',
          '-n',
          lab.clusterName,
          '-g',
          lab.resourceGroup,
          '--yes',
        ]),
      )
      options.say(`connected: ${lab.clusterName}`)
    }
    return { lab, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
