/**
 * A hub as a real process, and the first administrator signed in at it.
 * @module
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sallyportOk, sallyportStart, type Actor } from './actors.ts'
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

/** Starts a hub as `actor` and reads the credentials it prints once. */
export async function startHub(
  actor: Actor,
  options: {
    dataDirectory: string
    address: string
    port: number
    args?: string[]
    detached?: boolean
  },
): Promise<{ running: Running; info: HubInfo }> {
  const administratorFile = join(actor.home, `administrator-${options.port}.json`)
  const listen = `${options.address}:${options.port}`
  const url = `https://${options.address}${options.port === 443 ? '' : `:${options.port}`}`
  const running = sallyportStart(
    actor,
    [
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
    ],
    { detached: options.detached ?? false },
  )
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
