/**
 * The whole system, real: hub in its namespace, a Kubernetes node and the agent behind the site's firewall, a developer
 * at a laptop. Started once for a run of the suite; scenarios attach to it.
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createAuthority,
  provideKubeTools,
  startCluster,
  type Cluster,
  type KeyPairFiles,
  type KubeTool,
} from '@sallyport/cluster'
import { createActor, sallyportOk, type Actor } from './actors.ts'
import { login, startHub, type HubInfo } from './hub-process.ts'
import { createNetwork, hubPort, removeNetwork, type Network } from './network.ts'

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
  /** `iss` of the cluster's service account tokens: an address the hub can reach, where a scenario publishes the keys. */
  workloadIssuer: string
  /** Certificate of outside issuers at the address of the hub, of a CA the hub was told to trust for them. */
  outside: KeyPairFiles
  /** Name and resource group of the connected cluster. */
  clusterName: string
  resourceGroup: string
}

/** A running lab and its end. */
export interface RunningLab {
  lab: Lab
  stop: () => Promise<void>
}

async function startSite(lab: Lab, say: (text: string) => void): Promise<Cluster> {
  const cluster = await startCluster({
    size: 'node',
    netns: lab.network.site,
    serviceAccountIssuer: lab.workloadIssuer,
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
    // An agent that has just been told to stop may still be writing its last log line.
    rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 })
  }
  try {
    const network = await createNetwork(String(process.pid))
    ends.push(() => removeNetwork(network))
    const tools = await provideKubeTools()
    const host = createActor(join(directory, 'hub'), network.hub)
    const authority = await createAuthority(join(directory, 'outside'))
    const outside = await authority.issue({
      name: 'issuer',
      commonName: 'issuer',
      hosts: [network.hubAddress],
    })
    const { running, info } = await startHub(host, {
      dataDirectory: join(directory, 'hub', 'data'),
      address: network.hubAddress,
      port: hubPort,
      args: ['--issuer-ca-file', authority.certificate],
    })
    ends.push(() => running.stop())
    options.say(`hub: ${info.url}`)
    const lab: Lab = {
      directory,
      network,
      hub: info,
      tools,
      outside,
      workloadIssuer: `https://${network.hubAddress}:8444`,
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
