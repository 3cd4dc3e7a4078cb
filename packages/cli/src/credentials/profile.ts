/**
 * The profile: which hubs this user knows, how each is trusted, and who is signed in. No secrets in it.
 * @module
 */
import { join } from 'node:path'
import Type, { type Static } from 'typebox'
import { SallyportError, jsonParser } from '@sallyport/protocol'
import { withFileLock } from './file-lock.ts'
import { readPrivateFile, writePrivateFile } from './private-file.ts'

const UserAccountSchema = Type.Object({
  type: Type.Literal('user'),
  username: Type.String(),
  objectId: Type.String(),
  homeTenant: Type.String(),
})

const ApplicationAccountSchema = Type.Object({
  type: Type.Literal('servicePrincipal'),
  clientId: Type.String(),
  objectId: Type.Optional(Type.String()),
  /** How it proves itself; profiles of older versions leave it out, they know secrets only. */
  method: Type.Optional(
    Type.Union([Type.Literal('secret'), Type.Literal('certificate'), Type.Literal('federated')]),
  ),
})

const AccountSchema = Type.Union([UserAccountSchema, ApplicationAccountSchema])
export type Account = Static<typeof AccountSchema>
export type UserAccount = Static<typeof UserAccountSchema>
export type ApplicationAccount = Static<typeof ApplicationAccountSchema>

/** One hub. `ca` is the only authority trusted for it when present, else the system's are. */
export const HubProfileSchema = Type.Object({
  origin: Type.String(),
  ca: Type.Optional(Type.String()),
  audience: Type.String(),
  tokenEndpoint: Type.String(),
  revocationEndpoint: Type.Optional(Type.String()),
  tenantId: Type.String(),
  subscriptionId: Type.Optional(Type.String()),
  subscriptionName: Type.Optional(Type.String()),
  /** Who commands act as. */
  account: Type.Optional(AccountSchema),
  /** Others signed in at this hub; `account set` changes places. */
  otherAccounts: Type.Optional(Type.Array(AccountSchema)),
})
export type HubProfile = Static<typeof HubProfileSchema>

const ProfileSchema = Type.Object({
  version: Type.Literal(1),
  current: Type.Optional(Type.String()),
  hubs: Type.Record(Type.String(), HubProfileSchema),
})
export type Profile = Static<typeof ProfileSchema>

/** The name people know an account by: user principal name, or client id. */
export function accountName(account: Account): string {
  return account.type === 'user' ? account.username : account.clientId
}

const isSame = (a: Account, b: Account) => a.type === b.type && accountName(a) === accountName(b)

/** Accounts signed in at a hub, the one in use first. */
export function accountsAt(hub: HubProfile | undefined): Account[] {
  const { account, otherAccounts } = hub ?? {}
  return [...(account === undefined ? [] : [account]), ...(otherAccounts ?? [])]
}

/** A hub with this account in use; those before stay signed in. */
export function withAccount(hub: HubProfile, account: Account, known = hub): HubProfile {
  const others = accountsAt(known).filter((other) => !isSame(other, account))
  return withAccounts(hub, account, others)
}

/** A hub where this account has signed out. */
export function withoutAccount(hub: HubProfile, account: Account): HubProfile {
  const inUse = hub.account !== undefined && !isSame(hub.account, account) ? hub.account : undefined
  const others = (hub.otherAccounts ?? []).filter((other) => !isSame(other, account))
  return withAccounts(hub, inUse, others)
}

function withAccounts(
  hub: HubProfile,
  account: Account | undefined,
  others: Account[],
): HubProfile {
  const next = { ...hub }
  delete next.account
  delete next.otherAccounts
  if (account !== undefined) next.account = account
  if (others.length > 0) next.otherAccounts = others
  return next
}

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
