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

/** Signs in with the secret in the environment; trusts by fingerprint unless told otherwise. */
export function login(
  hub: RealHub,
  home: string,
  more: string[] = ['--hub-fingerprint', hub.fingerprint],
  options: { secret?: string | undefined; stdin?: string } = { secret: hub.clientSecret },
): Promise<CliResult> {
  const args = ['login', '--service-principal', '-u', hub.clientId, '--hub', hub.url, ...more]
  return cli(args, {
    home,
    env: { SALLYPORT_CLIENT_SECRET: options.secret },
    ...(options.stdin === undefined ? {} : { stdin: options.stdin }),
  })
}

/** A home where the administrator is signed in. */
export async function signedIn(hub: RealHub): Promise<string> {
  const home = temporaryDirectory()
  const { code, stderr } = await login(hub, home)
  if (code !== 0) throw new Error(stderr)
  return home
}
