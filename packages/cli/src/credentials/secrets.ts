/**
 * Secrets at rest: the client secret, because a long `proxy` renews its tokens with it, and the current access token.
 * @module
 */
import { join } from 'node:path'
import Type, { type Static } from 'typebox'
import { withFileLock } from './file-lock.ts'
import { readPrivateFile, writePrivateFile } from './private-file.ts'
import { parseState } from './profile.ts'

const HubSecretsSchema = Type.Object({
  clientId: Type.String(),
  clientSecret: Type.Optional(Type.String()),
  accessToken: Type.Optional(Type.String()),
  /** Unix milliseconds. */
  expiresAt: Type.Optional(Type.Number()),
})
export type HubSecrets = Static<typeof HubSecretsSchema>

const SecretsSchema = Type.Object({
  version: Type.Literal(1),
  hubs: Type.Record(Type.String(), HubSecretsSchema),
})

/** Path of the secrets in the configuration directory. */
export const secretsPath = (configDirectory: string) => join(configDirectory, 'credentials.json')

/** Secrets of one hub, undefined when signed out. @throws SallyportError ERR_STATE_INVALID, ERR_FILE_ACCESS. */
export function readSecrets(configDirectory: string, origin: string): HubSecrets | undefined {
  return readAll(configDirectory).hubs[origin]
}

function readAll(configDirectory: string): Static<typeof SecretsSchema> {
  const path = secretsPath(configDirectory)
  const text = readPrivateFile(path)
  return text === undefined ? { version: 1, hubs: {} } : parseState(SecretsSchema, path, text)
}

/**
 * Reads, changes and writes the secrets of one hub under the lock: of several processes one renews, the others find its result.
 * `change` returning undefined removes them.
 */
export async function updateSecrets(
  place: { configDirectory: string; origin: string; signal: AbortSignal; timeoutMs?: number },
  change: (
    secrets: HubSecrets | undefined,
  ) => Promise<HubSecrets | undefined> | HubSecrets | undefined,
): Promise<HubSecrets | undefined> {
  const path = secretsPath(place.configDirectory)
  return withFileLock(path, place, async () => {
    const all = readAll(place.configDirectory)
    const before = all.hubs[place.origin]
    const after = await change(before)
    if (after === before) return after
    const others = Object.entries(all.hubs).filter(([origin]) => origin !== place.origin)
    const hubs = Object.fromEntries(
      after === undefined ? others : [...others, [place.origin, after]],
    )
    writePrivateFile(path, `${JSON.stringify({ version: 1, hubs }, undefined, 2)}\n`)
    return after
  })
}
