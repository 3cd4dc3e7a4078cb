/**
 * Dex as a real process: an outside issuer that is not ours, with a certificate of an authority of its own.
 * @module
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { provideGoProgram } from '@sallyport/cluster'
import { startAs, type Actor } from './actors.ts'
import type { Running } from './process.ts'

const source = fileURLToPath(new URL('../dex', import.meta.url))

/** A person Dex knows by mail address and password. */
export interface DexPerson {
  email: string
  password: string
  name: string
  id: string
}

/** What Dex is configured with. */
export interface DexConfig {
  /** Home of its files, and its network. */
  at: Actor
  /** IP address and port. */
  listen: string
  /** Paths of PEM files. */
  certificate: string
  key: string
  client: { id: string; secret: string; redirectUri: string }
  people: DexPerson[]
}

/** A running Dex. */
export interface Dex {
  issuer: string
  running: Running
}

/** Builds Dex when it is not in the cache, starts it, and waits until it answers. */
export async function startDex(config: DexConfig): Promise<Dex> {
  const program = await provideGoProgram('dex', source)
  const issuer = `https://${config.listen}/dex`
  const file = join(config.at.home, 'dex.json')
  const text = JSON.stringify({
    issuer,
    listen: config.listen,
    certificate: config.certificate,
    key: config.key,
    clients: [
      {
        id: config.client.id,
        secret: config.client.secret,
        name: 'Sallyport',
        redirectURIs: [config.client.redirectUri],
      },
    ],
    people: config.people,
  })
  writeFileSync(file, text, { mode: 0o600 })
  const running = startAs(config.at, [program, file])
  await running.waitFor(/listening/)
  return { issuer, running }
}
