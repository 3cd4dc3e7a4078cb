/**
 * Outside issuers of the suite as processes of their own, at the address of the hub and in its network: `oidc-provider` with
 * groups as Keycloak names them, and one that answers as Microsoft documents Entra.
 * @module
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startAs } from './actors.ts'
import type { Running } from './process.ts'
import { lab } from './proxied.ts'

/** A person of the provider; its file is read at every sign-in, so that a scenario can change it. */
export interface ProviderPerson {
  name: string
  mail: string
  groups: string[]
}

/** What the provider is configured with. */
export interface ProviderConfig {
  issuer: string
  certificate: string
  key: string
  client: { id: string; secret: string; redirectUri: string }
  /** Path of a JSON file: people by sign-in name. */
  people: string
}

/** What the Entra of the suite is configured with. */
export interface EntraConfig {
  /** Sign-in and Graph. */
  origin: string
  tenantId: string
  certificate: string
  key: string
  client: { id: string; secret: string; redirectUri: string }
  person: { objectId: string; userPrincipalName: string; name: string; password: string }
  /** Object ids of the groups: more than a token holds. */
  groups: string[]
}

/** Starts one of them and waits until it listens. */
export async function startOutside(
  config: { kind: 'provider'; of: ProviderConfig } | { kind: 'entra'; of: EntraConfig },
): Promise<Running> {
  const { directory, network } = lab()
  const file = join(directory, `outside-${config.kind}.json`)
  writeFileSync(file, JSON.stringify(config.of), { mode: 0o600 })
  const program = fileURLToPath(new URL(`./outside-${config.kind}-main.ts`, import.meta.url))
  const running = startAs({ home: directory, netns: network.hub }, [
    process.execPath,
    program,
    file,
  ])
  await running.waitFor(/listening/)
  return running
}
