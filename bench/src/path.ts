/**
 * The two paths that are compared: straight to the API server stand-in, and through proxy, relay and agent.
 * @module
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createActor, sallyportOk, sallyportStart, type Actor } from '@sallyport/e2e/actors'
import { login, startHub, type HubInfo } from '@sallyport/e2e/hub-process'
import { freePort } from '@sallyport/e2e/free-port'
import { ok, start } from '@sallyport/e2e/process'
import { parse } from 'yaml'

const loadSource = fileURLToPath(new URL('../load', import.meta.url))

/** Address and credentials of one path, as flags of the load program. */
export type PathFlags = string[]

/** The programs of one bench run and how to end them. */
export interface Bench {
  directory: string
  load: string
  user: Actor
  hub: HubInfo
  direct: PathFlags
  through: PathFlags
  stop: () => Promise<void>
}

interface Kubeconfig {
  clusters: { cluster: { server: string; 'certificate-authority-data': string } }[]
  users: { user: Record<string, string> }[]
}

/** Turns a kubeconfig into flags of the load program, with its certificates in files. */
function flagsOf(kubeconfig: string, directory: string): PathFlags {
  const { clusters, users } = parse(readFileSync(kubeconfig, 'utf8')) as Kubeconfig
  const cluster = clusters[0]?.cluster
  if (cluster === undefined) throw new Error(`${kubeconfig} has no cluster`)
  const file = (name: string, base64: string | undefined) => {
    const path = join(directory, name)
    writeFileSync(path, Buffer.from(base64 ?? '', 'base64'), { mode: 0o600 })
    return path
  }
  const user = users[0]?.user ?? {}
  const flags = ['-ca', file('ca.pem', cluster['certificate-authority-data'])]
  if (user['client-certificate-data'] !== undefined) {
    flags.push('-cert', file('cert.pem', user['client-certificate-data']))
    flags.push('-key', file('key.pem', user['client-key-data']))
  }
  if (user['token'] !== undefined) flags.push('-token', user['token'])
  return ['-url', cluster.server, ...flags]
}

function upstreamKubeconfig(directory: string, address: string): string {
  const file = join(directory, 'upstream.kubeconfig')
  const ca = readFileSync(join(directory, 'upstream-ca.pem')).toString('base64')
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'bench',
    clusters: [
      {
        name: 'bench',
        cluster: { server: `https://${address}`, 'certificate-authority-data': ca },
      },
    ],
    users: [{ name: 'bench', user: { token: 'bench' } }],
    contexts: [{ name: 'bench', context: { cluster: 'bench', user: 'bench' } }],
  }
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 })
  return file
}

/** Builds the load program and starts upstream, hub, agent and proxy on loopback. */
export async function startBench(directory: string, say: (text: string) => void): Promise<Bench> {
  const ends: (() => Promise<unknown>)[] = []
  const stop = async () => {
    for (const end of ends.splice(0).reverse()) await end()
  }
  try {
    const load = join(directory, 'load')
    say('building the load program')
    await ok('go', ['build', '-o', load, '.'], {
      cwd: loadSource,
      env: { CGO_ENABLED: '0' },
      timeoutMs: 180_000,
    })
    const upstream = start(load, ['upstream', '-ca-out', join(directory, 'upstream-ca.pem')])
    ends.push(() => upstream.stop('SIGKILL'))
    const [, address = ''] = await upstream.waitFor(/listening (\S+)/)
    const kubeconfig = upstreamKubeconfig(directory, address)
    const user = createActor(join(directory, 'user'))
    const { running, info: hub } = await startHub(user, {
      dataDirectory: join(directory, 'hub'),
      address: '127.0.0.1',
      port: await freePort(),
    })
    ends.push(() => running.stop())
    await login(user, hub)
    ends.push(() => sallyportOk(user, ['delete', '-n', 'bench', '-g', 'bench', '--yes']))
    await sallyportOk(user, [
      'connect',
      '-n',
      'bench',
      '-g',
      'bench',
      '--kube-config',
      kubeconfig,
      '--yes',
    ])
    const proxied = join(directory, 'proxy.kubeconfig')
    const proxy = sallyportStart(user, [
      'proxy',
      'bench',
      '-g',
      'bench',
      '--port',
      '0',
      '-f',
      proxied,
    ])
    ends.push(() => proxy.stop('SIGINT'))
    await proxy.waitFor(/ready/i)
    for (const name of ['direct', 'through']) mkdirSync(join(directory, name))
    return {
      directory,
      load,
      user,
      hub,
      direct: flagsOf(kubeconfig, join(directory, 'direct')),
      through: flagsOf(proxied, join(directory, 'through')),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}
