/**
 * People in the directory. Whatever takes a sign-in away ends what was signed in, in the same transaction.
 * @module
 */
import { randomUUID } from 'node:crypto'
import type { Kysely, Selectable, Transaction } from 'kysely'
import { SallyportError } from '@sallyport/protocol'
import type { Database } from '../../store/database.ts'
import { checkAdministratorLeft } from './administrators.ts'
import { endSignIns } from './end-sign-ins.ts'
import { checkedDisplayName, checkedMail, checkedUserPrincipalName, upnKey } from './names.ts'
import { checkNewPassword, hashPassword, isOutdatedHash, isPasswordOf } from './passwords.ts'
import type { UserTable } from './tables.ts'

/** A person as the directory knows them. */
export interface User {
  objectId: string
  userPrincipalName: string
  displayName: string
  mail: string | null
  enabled: boolean
  administrator: boolean
  revokedSeq: number
  /** False for people who sign in at an outside issuer. */
  hasPassword: boolean
  createdAt: number
}

/** The name of one user. */
export type UserKey = { objectId: string } | { userPrincipalName: string }

/** The user, disabled ones too. */
export async function findUser(db: Kysely<Database>, by: UserKey): Promise<User | undefined> {
  const row = await selectUser(db, by)
  return row === undefined ? undefined : toUser(row)
}

/** @throws SallyportError ERR_DIRECTORY_NOT_FOUND. */
export async function requireUser(db: Kysely<Database>, by: UserKey): Promise<User> {
  const found = await findUser(db, by)
  if (found !== undefined) return found
  throw new SallyportError('ERR_DIRECTORY_NOT_FOUND', 'there is no such user')
}

function selectUser(db: Kysely<Database>, by: UserKey): Promise<Selectable<UserTable> | undefined> {
  const [column, value] =
    'objectId' in by
      ? (['object_id', by.objectId.toLowerCase()] as const)
      : (['upn_key', upnKey(by.userPrincipalName)] as const)
  return db.selectFrom('users').selectAll().where(column, '=', value).executeTakeFirst()
}

/** A row as a user. */
export function toUser(row: Selectable<UserTable>): User {
  return {
    objectId: row.object_id,
    userPrincipalName: row.user_principal_name,
    displayName: row.display_name,
    mail: row.mail,
    enabled: row.enabled === 1,
    administrator: row.administrator === 1,
    revokedSeq: row.revoked_seq,
    hasPassword: row.password_hash !== null,
    createdAt: row.created_at,
  }
}

/** A user to make. `passwordHash` comes from `hashNewPassword`, made before the transaction: it takes long. */
export interface NewUser {
  /** Given for people from outside, whose issuer names them for ever; made here otherwise. */
  objectId?: string
  userPrincipalName: string
  displayName: string
  mail?: string | null
  passwordHash?: string | null
  enabled?: boolean
  administrator?: boolean
  now: number
}

/**
 * Makes a user.
 * @throws SallyportError ERR_DIRECTORY_CONFLICT when the name is taken, ERR_ARM_INVALID_REQUEST.
 */
export async function insertUser(trx: Transaction<Database>, made: NewUser): Promise<User> {
  const userPrincipalName = checkedUserPrincipalName(made.userPrincipalName)
  await checkFree(trx, userPrincipalName)
  const row: UserTable = {
    object_id: made.objectId ?? randomUUID(),
    user_principal_name: userPrincipalName,
    upn_key: upnKey(userPrincipalName),
    display_name: checkedDisplayName(made.displayName),
    mail: typeof made.mail === 'string' ? checkedMail(made.mail) : null,
    password_hash: made.passwordHash ?? null,
    enabled: (made.enabled ?? true) ? 1 : 0,
    administrator: made.administrator === true ? 1 : 0,
    revoked_seq: 0,
    created_at: made.now,
  }
  await trx.insertInto('users').values(row).execute()
  return toUser(row)
}

async function checkFree(db: Kysely<Database>, userPrincipalName: string): Promise<void> {
  if ((await findUser(db, { userPrincipalName })) === undefined) return
  throw new SallyportError(
    'ERR_DIRECTORY_CONFLICT',
    'another user has the same userPrincipalName already',
    { target: 'userPrincipalName' },
  )
}

/** What may change of a user; what is absent stays. */
export interface UserChange {
  userPrincipalName?: string | undefined
  displayName?: string | undefined
  mail?: string | null | undefined
  enabled?: boolean | undefined
  administrator?: boolean | undefined
}

/**
 * Changes a user; disabling ends its sign-ins.
 * @throws SallyportError ERR_DIRECTORY_NOT_FOUND, ERR_DIRECTORY_CONFLICT, ERR_LAST_ADMINISTRATOR, ERR_ARM_INVALID_REQUEST.
 */
export async function updateUser(
  trx: Transaction<Database>,
  objectId: string,
  { change, now }: { change: UserChange; now: number },
): Promise<void> {
  const before = await requireUser(trx, { objectId })
  const row = await changedRow(trx, before, change)
  if (Object.keys(row).length === 0) return
  await trx.updateTable('users').set(row).where('object_id', '=', before.objectId).execute()
  const isDisabled = before.enabled && row.enabled === 0
  const losesFlag = before.administrator && row.administrator === 0
  if (isDisabled || losesFlag) {
    if (before.enabled && before.administrator) await checkAdministratorLeft(trx)
    await endSignIns(trx, before.objectId, {
      reason: isDisabled ? 'user disabled' : 'user is no longer administrator',
      now,
    })
  }
}

async function changedRow(
  trx: Transaction<Database>,
  before: User,
  change: UserChange,
): Promise<Partial<UserTable>> {
  const row: Partial<UserTable> = {}
  if (change.userPrincipalName !== undefined) {
    row.user_principal_name = checkedUserPrincipalName(change.userPrincipalName)
    row.upn_key = upnKey(row.user_principal_name)
    if (row.upn_key !== upnKey(before.userPrincipalName)) {
      await checkFree(trx, row.user_principal_name)
    }
  }
  if (change.displayName !== undefined) row.display_name = checkedDisplayName(change.displayName)
  if (change.mail !== undefined) row.mail = change.mail === null ? null : checkedMail(change.mail)
  if (change.enabled !== undefined) row.enabled = change.enabled ? 1 : 0
  if (change.administrator !== undefined) row.administrator = change.administrator ? 1 : 0
  return row
}

/**
 * Deletes a user with its memberships and outside accounts; ends its sign-ins.
 * @throws SallyportError ERR_DIRECTORY_NOT_FOUND, ERR_LAST_ADMINISTRATOR.
 */
export async function deleteUser(
  trx: Transaction<Database>,
  objectId: string,
  now: number,
): Promise<void> {
  const user = await requireUser(trx, { objectId })
  await endSignIns(trx, user.objectId, { reason: 'user deleted', now })
  await trx.deleteFrom('group_members').where('member_id', '=', user.objectId).execute()
  await trx.deleteFrom('users').where('object_id', '=', user.objectId).execute()
  if (user.enabled && user.administrator) await checkAdministratorLeft(trx)
}

/** A hash for `insertUser` or `setPassword`. @throws SallyportError ERR_PASSWORD_REFUSED. */
export async function hashNewPassword(
  password: string,
  userPrincipalName: string,
): Promise<string> {
  checkNewPassword(password, userPrincipalName)
  return hashPassword(password)
}

/** Sets the password and ends every sign-in made with the old one. @throws SallyportError ERR_DIRECTORY_NOT_FOUND. */
export async function setPassword(
  trx: Transaction<Database>,
  objectId: string,
  { passwordHash, now }: { passwordHash: string; now: number },
): Promise<void> {
  const user = await requireUser(trx, { objectId })
  await trx
    .updateTable('users')
    .set({ password_hash: passwordHash })
    .where('object_id', '=', user.objectId)
    .execute()
  await endSignIns(trx, user.objectId, { reason: 'password changed', now })
}

/**
 * The enabled user with this name and password. Unknown, disabled and password-less users cost the same effort and get the same
 * answer. A hash made with less effort than today's is replaced on the way.
 * @throws SallyportError ERR_RATE_LIMITED when too many passwords are being checked.
 */
export async function checkPassword(
  db: Kysely<Database>,
  userPrincipalName: string,
  password: string,
): Promise<User | undefined> {
  const row = await selectUser(db, { userPrincipalName })
  const matches = await isPasswordOf(password, row?.password_hash ?? null)
  if (!matches || row?.enabled !== 1 || row.password_hash === null) return undefined
  if (isOutdatedHash(row.password_hash)) {
    await db
      .updateTable('users')
      .set({ password_hash: await hashPassword(password) })
      .where('object_id', '=', row.object_id)
      .where('password_hash', '=', row.password_hash)
      .execute()
  }
  return toUser(row)
}
