/**
 * Dex as a real process: an outside issuer that is not ours, with a certificate of an authority of its own.
 * @module
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { provideGoProgram } from '@sallyport/cluster'
import { start, type Running } from './process.ts'

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
  directory: string
  port: number
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
  const issuer = `https://localhost:${config.port}/dex`
  const file = join(config.directory, 'dex.json')
  const text = JSON.stringify({
    issuer,
    listen: `127.0.0.1:${config.port}`,
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
  const running = start(program, [file])
  await running.waitFor(/listening/)
  return { issuer, running }
}
