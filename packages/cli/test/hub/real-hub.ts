/**
 * A real hub in this process, started as `sallyport hub` is.
 * @module
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { runCli } from '../../src/main.ts'
import { cli, collector, temporaryDirectory, type CliResult } from '../run-cli.ts'

/** A hub and its first administrator. */
export interface RealHub {
  url: string
  fingerprint: string
  caFile: string
  clientId: string
  clientSecret: string
  objectId: string
  tenantId: string
  subscriptionId: string
  stop: () => Promise<void>
}

/** Starts a hub on a free port. */
export async function startRealHub(): Promise<RealHub> {
  const home = mkdtempSync(join(tmpdir(), 'sallyport-cli-hub-'))
  const stop = new AbortController()
  const stdout = collector()
  const administratorFile = join(home, 'administrator.json')
  const data = join(home, 'data')
  const ended = runCli({
    argv: [
      'hub',
      '--data-directory',
      data,
      '--listen',
      '127.0.0.1:0',
      '--administrator-file',
      administratorFile,
    ],
    env: { HOME: home },
    stdin: Readable.from([]),
    stdout,
    stderr: collector(),
    signal: stop.signal,
  })
  await new Promise<void>((resolve, reject) => {
    stdout.on('data', () => {
      if (stdout.text().includes('fingerprint')) resolve()
    })
    void ended.then((code) => {
      reject(new Error(`the hub ended with ${code}`))
    })
  })
  const read = JSON.parse(readFileSync(administratorFile, 'utf8')) as Record<
    | 'hub'
    | 'fingerprint'
    | 'clientId'
    | 'clientSecret'
    | 'objectId'
    | 'tenantId'
    | 'subscriptionId',
    string
  >
  const { hub, ...administrator } = read
  return {
    url: hub,
    caFile: join(data, 'ca.crt'),
    ...administrator,
    stop: async () => {
      stop.abort()
      await ended
      rmSync(home, { recursive: true, force: true })
    },
  }
}

/** How a sign-in differs from the usual: the secret in the environment, trust by fingerprint. */
export interface LoginOptions {
  home: string
  more?: string[] | undefined
  secret?: string | undefined
  stdin?: string | undefined
}

/** Signs in as the administrator. */
export function login(hub: RealHub, options: LoginOptions): Promise<CliResult> {
  const more = options.more ?? ['--hub-fingerprint', hub.fingerprint]
  const args = ['login', '--service-principal', '-u', hub.clientId, '--hub', hub.url, ...more]
  return cli(args, {
    home: options.home,
    env: { SALLYPORT_CLIENT_SECRET: options.secret },
    ...(options.stdin === undefined ? {} : { stdin: options.stdin }),
  })
}

/** A home where the administrator is signed in. */
export async function signedIn(hub: RealHub): Promise<string> {
  const home = temporaryDirectory()
  const { code, stderr } = await login(hub, { home, secret: hub.clientSecret })
  if (code !== 0) throw new Error(stderr)
  return home
}
