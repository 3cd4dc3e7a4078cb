/**
 * Secrets at rest: what an account renews its tokens with, and the current access token. One file, mode 0600, one writer at a time.
 * @module
 */
import { renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import Type, { type Static } from 'typebox'
import { SallyportError } from '@sallyport/protocol'
import { fileError } from './file-error.ts'
import { withFileLock } from './file-lock.ts'
import { readPrivateFile, resolveLink, writePrivateFile } from './private-file.ts'
import { accountName, parseState, type HubProfile } from './profile.ts'

/** Where a token of another issuer comes from at each renewal. */
export const FederatedSourceSchema = Type.Union([
  Type.Object({ kind: Type.Literal('file'), path: Type.String() }),
  Type.Object({ kind: Type.Literal('github'), audience: Type.String() }),
])
export type FederatedSource = Static<typeof FederatedSourceSchema>

const HubSecretsSchema = Type.Object({
  clientId: Type.String(),
  clientSecret: Type.Optional(Type.String()),
  /** Path of a PEM file; its key stays there. */
  certificateFile: Type.Optional(Type.String()),
  federated: Type.Optional(FederatedSourceSchema),
  refreshToken: Type.Optional(Type.String()),
  /** Set before a refresh token is presented, gone when the answer is stored: what is found with it was used, or nearly. */
  renewing: Type.Optional(Type.Object({ pid: Type.Integer(), at: Type.Number() })),
  accessToken: Type.Optional(Type.String()),
  /** Unix milliseconds. */
  expiresAt: Type.Optional(Type.Number()),
})
export type HubSecrets = Static<typeof HubSecretsSchema>

const SecretsSchema = Type.Object({
  version: Type.Literal(1),
  /** User id of who wrote it: a copy in other hands is refused. */
  uid: Type.Optional(Type.Integer()),
  /** By `secretsKey`; older versions: by origin. */
  hubs: Type.Record(Type.String(), HubSecretsSchema),
})
type Secrets = Static<typeof SecretsSchema>

/** Whose secrets. `legacy` is the key older versions wrote. */
export interface SecretsKey {
  name: string
  legacy?: { origin: string; clientId: string }
}

/** Key of the account in use at a hub. */
export function secretsKey(hub: Pick<HubProfile, 'origin' | 'account'>): SecretsKey {
  const { origin, account } = hub
  if (account === undefined) return { name: origin }
  const name = `${origin} ${accountName(account)}`
  return account.type === 'user'
    ? { name }
    : { name, legacy: { origin, clientId: account.clientId } }
}

/** Path of the secrets in the configuration directory. */
export const secretsPath = (configDirectory: string) => join(configDirectory, 'credentials.json')

/** Secrets of one account, undefined when signed out. @throws SallyportError ERR_STATE_INVALID, ERR_FILE_ACCESS, ERR_AUTH_REQUIRED for a copy. */
export function readSecrets(configDirectory: string, key: SecretsKey): HubSecrets | undefined {
  return entryOf(readAll(configDirectory), key)
}

function entryOf({ hubs }: Secrets, { name, legacy }: SecretsKey): HubSecrets | undefined {
  if (Object.hasOwn(hubs, name)) return hubs[name]
  if (legacy === undefined || !Object.hasOwn(hubs, legacy.origin)) return undefined
  const old = hubs[legacy.origin]
  return old?.clientId === legacy.clientId ? old : undefined
}

function readAll(configDirectory: string): Secrets {
  const path = secretsPath(configDirectory)
  const text = readPrivateFile(path)
  if (text === undefined) return { version: 1, hubs: {} }
  const secrets = parseState(SecretsSchema, path, text)
  refuseCopy(path, secrets.uid)
  return secrets
}

/** The one who wrote it owns it, else somebody copied it. Systems without user ids have nothing to compare. */
function refuseCopy(path: string, writtenBy: number | undefined): void {
  const owner = ownerOf(path)
  if (writtenBy === undefined || owner === undefined || owner === writtenBy) return
  throw new SallyportError(
    'ERR_AUTH_REQUIRED',
    `${path} was written by user ${writtenBy} and copied to user ${owner}`,
    {
      why: 'two owners of one refresh token make the hub end the sign-in of both',
      remedy: `remove the copy and sign in yourself: rm '${path}'; sallyport login`,
      target: path,
    },
  )
}

function ownerOf(path: string): number | undefined {
  if (process.getuid === undefined) return undefined
  return statSync(resolveLink(path), { throwIfNoEntry: false })?.uid
}

/** Changes secrets; returning what it got changes nothing, undefined removes them. */
export type SecretsChange = (
  secrets: HubSecrets | undefined,
  /** Writes an intermediate state at once, still under the lock. */
  write: (secrets: HubSecrets) => void,
) => Promise<HubSecrets | undefined> | HubSecrets | undefined

/** Where secrets are changed. */
export interface SecretsPlace {
  configDirectory: string
  key: SecretsKey
  signal: AbortSignal
  timeoutMs?: number
}

/** Reads, changes and writes the secrets of one account under the lock: of several processes one renews, the others find its result. */
export async function updateSecrets(
  place: SecretsPlace,
  change: SecretsChange,
): Promise<HubSecrets | undefined> {
  const path = secretsPath(place.configDirectory)
  return withFileLock(path, place, async () => {
    const all = readAll(place.configDirectory)
    let stored = entryOf(all, place.key)
    const write = (secrets: HubSecrets | undefined): void => {
      const kept = Object.entries(all.hubs).filter(
        ([name, entry]) => name !== place.key.name && !isLegacy(place.key, name, entry),
      )
      const entries = secrets === undefined ? kept : [...kept, [place.key.name, secrets] as const]
      const uid = ownerOf(path) ?? process.getuid?.()
      const next: Secrets = {
        version: 1,
        ...(uid === undefined ? {} : { uid }),
        hubs: Object.fromEntries(entries),
      }
      writePrivateFile(path, `${JSON.stringify(next, undefined, 2)}\n`)
      stored = secrets
    }
    const after = await change(stored, write)
    if (after !== stored) write(after)
    return after
  })
}

const isLegacy = ({ legacy }: SecretsKey, name: string, entry: HubSecrets) =>
  legacy !== undefined && name === legacy.origin && entry.clientId === legacy.clientId

/**
 * Puts a damaged file aside, so that a new sign-in can be stored and nothing is lost.
 * @returns where it lies now, undefined when the file is whole or there is none.
 */
export function putDamagedAside(configDirectory: string): string | undefined {
  const path = secretsPath(configDirectory)
  const text = readPrivateFile(path)
  if (text === undefined) return undefined
  try {
    parseState(SecretsSchema, path, text)
    return undefined
  } catch {
    const aside = `${path}.broken-${Date.now()}`
    try {
      renameSync(path, aside)
    } catch (error) {
      throw fileError(path, 'write', error)
    }
    return aside
  }
}
