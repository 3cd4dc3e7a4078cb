/**
 * A whole system of its own on loopback, for scenarios that put something between its parts: a control plane, a hub that
 * sends everybody to the given relays, an agent, a signed-in user.
 * @module
 */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startCluster, type Cluster } from '@sallyport/cluster'
import { createActor, sallyportOk, sallyportStart, type Actor } from './actors.ts'
import { freePort } from './free-port.ts'
import { login, startHub, type HubInfo } from './hub-process.ts'
import type { Running } from './process.ts'

/** The system and its end. */
export interface Sandbox {
  directory: string
  user: Actor
  hub: HubInfo
  cluster: Cluster
  /** Connects the cluster; `env` is the agent's too. */
  connect: (env?: Record<string, string>) => Promise<void>
  /** Registers what ends with the sandbox, last first. */
  onEnd: (end: () => Promise<unknown>) => void
  stop: () => Promise<void>
}

/** Name of the connected cluster of a sandbox. */
export const sandboxCluster = ['-n', 'sandbox', '-g', 'sandbox']

/** How a sandbox differs from the usual one. */
export interface SandboxOptions {
  /** Origins clients and agents are sent to. */
  relays?: string[]
  port?: number
  /** Flags of the hub. */
  hubArgs?: string[]
  /** Network namespace whose loopback it lives on. */
  netns?: string
}

/** Starts control plane and hub and signs in. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-sandbox-'))
  const ends: (() => Promise<unknown>)[] = []
  const stop = async () => {
    for (const end of ends.splice(0).reverse()) await end()
    rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 })
  }
  try {
    const { netns } = options
    const cluster = await startCluster({
      size: 'control-plane',
      ...(netns === undefined ? {} : { netns }),
    })
    ends.push(() => cluster.stop())
    const user = createActor(join(directory, 'user'), netns)
    const { running, info: hub } = await startHub(user, {
      dataDirectory: join(directory, 'hub'),
      address: '127.0.0.1',
      port: options.port ?? (await freePort()),
      args: [
        ...(options.relays ?? []).flatMap((url) => ['--relays', url]),
        ...(options.hubArgs ?? []),
      ],
    })
    ends.push(() => running.stop())
    await login(user, hub)
    const connect = async (env: Record<string, string> = {}) => {
      ends.push(() => sallyportOk(user, ['delete', ...sandboxCluster, '--yes']))
      await sallyportOk(
        user,
        ['connect', ...sandboxCluster, '--kube-config', cluster.kubeconfig, '--yes'],
        { env, timeoutMs: 120_000 },
      )
    }
    return { directory, user, hub, cluster, connect, onEnd: (end) => ends.push(end), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Starts `sallyport relay` alone with the hub's keys and a certificate of the hub's CA. */
export async function startRelayAlone(
  parts: { directory: string; user: Actor; hub: HubInfo },
  port: number,
  env: Record<string, string> = {},
): Promise<Running> {
  const directory = join(parts.directory, 'relay')
  mkdirSync(join(directory, 'tls'), { recursive: true, mode: 0o700 })
  copyFileSync(join(parts.hub.dataDirectory, 'tls', 'ca.pem'), join(directory, 'tls', 'ca.pem'))
  const keyFile = join(parts.hub.dataDirectory, 'keys', 'relay.json')
  const args = [
    '--data-directory',
    directory,
    '--listen',
    `127.0.0.1:${port}`,
    '--relay-key-file',
    keyFile,
  ]
  const running = sallyportStart(parts.user, ['relay', ...args], { env })
  await running.waitFor(/relay ready/)
  return running
}
