/**
 * A person from outside becomes a user of the directory: made at the first sign-in, renamed and regrouped at every later one.
 * @module
 */
import type { Transaction } from 'kysely'
import type { Logger } from 'pino'
import { revoke } from '../../registry/revocations.ts'
import type { Database } from '../../store/database.ts'
import type { Store } from '../../store/store.ts'
import { findPrincipal } from '../directory/principals.ts'
import { findUser, insertUser, updateUser, type User } from '../directory/users.ts'
import { refused } from './claims.ts'
import type { OutsideIssuer } from './outside-issuer.ts'
import type { OutsidePerson } from './person.ts'

/** What admitting needs. */
export interface AdmitParts {
  store: Store
  log: Logger
  /** Called after a commit that agents have to hear of. */
  onChange: () => void
  now: () => number
}

/**
 * Lets the person in and returns the object id.
 * @throws SallyportError ERR_ISSUER_REFUSED when the user is disabled or the object id is somebody else's.
 */
export async function admitPerson(
  parts: AdmitParts,
  issuer: OutsideIssuer,
  person: OutsidePerson,
): Promise<string> {
  const outcome = await parts.store.transaction(async (trx) => {
    if (await namesOurGroup(trx, { issuer, person })) return { kind: 'group' } as const
    const user = await userOf(trx, { issuer, person, now: parts.now() })
    if (user === undefined) return { kind: 'collision' } as const
    if (!user.enabled) return { kind: 'disabled' } as const
    await rename(trx, user, { issuer, person, now: parts.now() })
    const isSmaller = await replaceGroups(trx, user.objectId, person.groups)
    if (isSmaller) {
      const reason = 'outside group membership removed'
      await revoke(
        trx,
        { kind: 'principal', objectId: user.objectId },
        { reason, now: parts.now() },
      )
    }
    return { kind: 'admitted', isSmaller } as const
  })
  const event = { issuer: issuer.alias, objectId: person.objectId }
  if (outcome.kind !== 'admitted') {
    parts.log.warn({ event: 'issuer.refused', ...event, reason: outcome.kind })
    throw refused(refusals[outcome.kind])
  }
  if (outcome.isSmaller) parts.onChange()
  parts.log.info({ event: 'issuer.admitted', ...event, groups: person.groups.length })
  return person.objectId
}

const refusals = {
  group: 'one of your groups has the object id of a group of this hub',
  collision: 'your object id belongs to somebody else at this hub',
  disabled: 'your account at this hub is disabled',
}

interface Admission {
  issuer: OutsideIssuer
  person: OutsidePerson
  now: number
}

/** The user of this account, made when there is none; undefined when the object id is that of a principal with another account. */
async function userOf(
  trx: Transaction<Database>,
  { issuer, person, now }: Admission,
): Promise<User | undefined> {
  const { subject, objectId } = person
  const account = await trx
    .selectFrom('outside_accounts')
    .select('object_id')
    .where('issuer', '=', issuer.issuer)
    .where('subject', '=', subject)
    .executeTakeFirst()
  if (account !== undefined) {
    return findUser(trx, { objectId: account.object_id })
  }
  if ((await findPrincipal(trx, objectId)) !== undefined) return undefined
  const user = await insertUser(trx, {
    objectId,
    userPrincipalName: await freeName(trx, { issuer, person }),
    displayName: person.displayName,
    mail: person.mail ?? null,
    now,
  })
  await trx
    .insertInto('outside_accounts')
    .values({ issuer: issuer.issuer, subject, object_id: objectId, created_at: now })
    .execute()
  return user
}

/** A group id of our directory in a token from outside would make its bearer a member of our group. Prefixed names cannot be one. */
async function namesOurGroup(
  trx: Transaction<Database>,
  { issuer, person }: Pick<Admission, 'issuer' | 'person'>,
): Promise<boolean> {
  if (issuer.groupsPrefix !== '') return false
  const named = new Set(person.groups)
  const ours = await trx.selectFrom('directory_groups').select('object_id').execute()
  return ours.some((group) => named.has(group.object_id))
}

/** The claimed name when nobody else has it, else one made of the object id. */
async function freeName(
  trx: Transaction<Database>,
  { issuer, person }: Pick<Admission, 'issuer' | 'person'>,
): Promise<string> {
  const { userPrincipalName, objectId } = person
  if (userPrincipalName !== undefined) {
    const owner = await findUser(trx, { userPrincipalName })
    if (owner === undefined || owner.objectId === objectId) return userPrincipalName
  }
  return `${objectId}@${issuer.alias}`
}

async function rename(trx: Transaction<Database>, user: User, admission: Admission): Promise<void> {
  const { displayName, mail = null } = admission.person
  const userPrincipalName = await freeName(trx, admission)
  const isSame =
    user.displayName === displayName &&
    user.mail === mail &&
    user.userPrincipalName === userPrincipalName
  if (isSame) return
  const change = { displayName, mail, userPrincipalName }
  await updateUser(trx, user.objectId, { change, now: admission.now })
}

/** Makes the groups exactly these; returns whether one was taken away. */
async function replaceGroups(
  trx: Transaction<Database>,
  objectId: string,
  groups: readonly string[],
): Promise<boolean> {
  const rows = await trx
    .selectFrom('outside_groups')
    .select('group_name')
    .where('object_id', '=', objectId)
    .execute()
  const before = new Set(rows.map((row) => row.group_name))
  const after = new Set(groups)
  const removed = before.difference(after)
  for (const group_name of removed) {
    await trx
      .deleteFrom('outside_groups')
      .where('object_id', '=', objectId)
      .where('group_name', '=', group_name)
      .execute()
  }
  const added = [...after.difference(before)].map((group_name) => ({
    object_id: objectId,
    group_name,
  }))
  for (let at = 0; at < added.length; at += insertRows) {
    await trx
      .insertInto('outside_groups')
      .values(added.slice(at, at + insertRows))
      .execute()
  }
  return removed.size > 0
}

/** Rows of one INSERT. */
const insertRows = 500
