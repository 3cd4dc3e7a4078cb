/**
 * The profile: which hubs this user knows, how each is trusted, and who is signed in. No secrets in it.
 * @module
 */
import { join } from 'node:path'
import Type, { type Static } from 'typebox'
import { SallyportError, jsonParser } from '@sallyport/protocol'
import { withFileLock } from './file-lock.ts'
import { readPrivateFile, writePrivateFile } from './private-file.ts'

const AccountSchema = Type.Object({
  type: Type.Literal('servicePrincipal'),
  clientId: Type.String(),
  objectId: Type.Optional(Type.String()),
})

/** One hub. `ca` is the only authority trusted for it when present, else the system's are. */
export const HubProfileSchema = Type.Object({
  origin: Type.String(),
  ca: Type.Optional(Type.String()),
  audience: Type.String(),
  tokenEndpoint: Type.String(),
  tenantId: Type.String(),
  subscriptionId: Type.Optional(Type.String()),
  subscriptionName: Type.Optional(Type.String()),
  account: Type.Optional(AccountSchema),
})
export type HubProfile = Static<typeof HubProfileSchema>

const ProfileSchema = Type.Object({
  version: Type.Literal(1),
  current: Type.Optional(Type.String()),
  hubs: Type.Record(Type.String(), HubProfileSchema),
})
export type Profile = Static<typeof ProfileSchema>

/** Path of the profile in the configuration directory. */
export const profilePath = (configDirectory: string) => join(configDirectory, 'profile.json')

/**
 * Reads the profile; an empty one when there is none.
 * @throws SallyportError ERR_STATE_INVALID when damaged, ERR_FILE_ACCESS when unreadable.
 */
export function readProfile(configDirectory: string): Profile {
  const path = profilePath(configDirectory)
  const text = readPrivateFile(path)
  if (text === undefined) return { version: 1, hubs: {} }
  return parseState(ProfileSchema, path, text)
}

/** Reads, changes and writes the profile under its lock. */
export async function updateProfile(
  configDirectory: string,
  signal: AbortSignal,
  change: (profile: Profile) => void,
): Promise<Profile> {
  const path = profilePath(configDirectory)
  return withFileLock(path, { signal }, () => {
    const profile = readProfile(configDirectory)
    change(profile)
    writePrivateFile(path, `${JSON.stringify(profile, undefined, 2)}\n`)
    return profile
  })
}

/** Parses a state file of ours. @throws SallyportError ERR_STATE_INVALID naming the path. */
export function parseState<T extends Type.TSchema>(
  schema: T,
  path: string,
  text: string,
): Static<T> {
  try {
    return jsonParser(schema, path, 'ERR_STATE_INVALID')(text)
  } catch (cause) {
    throw new SallyportError('ERR_STATE_INVALID', `${path} is damaged`, {
      cause,
      ...(cause instanceof Error ? { why: cause.message.replace(`${path}: `, '') } : {}),
      remedy: `remove it and sign in again: rm '${path}'`,
      target: path,
    })
  }
}
