/**
 * Outside workloads that may sign in as a service principal: issuer, subject and audience are compared byte for byte.
 * @module
 */
import { randomUUID } from 'node:crypto'
import type { Kysely, Selectable, Transaction } from 'kysely'
import { limits, SallyportError } from '@sallyport/protocol'
import type { Database } from '../../store/database.ts'
import { endSignIns } from './end-sign-ins.ts'
import { checkedDisplayName } from './names.ts'
import type { FederatedCredentialTable } from './tables.ts'

/** Which token of which issuer signs in as which service principal. */
export interface FederatedCredential {
  credentialId: string
  objectId: string
  name: string
  issuer: string
  subject: string
  audience: string
  createdAt: number
}

const maxText = 600
const namePattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,119}$/

/**
 * Adds one. The issuer is an https URL; no part may hold a pattern: what is written is what the token must say.
 * @throws SallyportError ERR_ARM_INVALID_REQUEST, ERR_DIRECTORY_CONFLICT.
 */
export async function insertFederatedCredential(
  trx: Transaction<Database>,
  objectId: string,
  made: { name: string; issuer: string; subject: string; audience: string; now: number },
): Promise<FederatedCredential> {
  checkParts(made)
  const there = await listFederatedCredentials(trx, objectId)
  const { name, issuer, subject, audience, now } = made
  if (there.length >= limits.federatedCredentialsPerServicePrincipal) {
    throw conflict(
      `a service principal has at most ${limits.federatedCredentialsPerServicePrincipal} federated credentials`,
    )
  }
  if (there.some((each) => each.name === name)) {
    throw conflict('a federated credential of this name is there already')
  }
  if (there.some((each) => each.issuer === issuer && each.subject === subject)) {
    throw conflict('a federated credential of this issuer and subject is there already')
  }
  const row: FederatedCredentialTable = {
    credential_id: randomUUID(),
    object_id: objectId,
    name,
    issuer,
    subject,
    audience,
    created_at: now,
  }
  await trx.insertInto('federated_credentials').values(row).execute()
  return toCredential(row)
}

function checkParts(made: {
  name: string
  issuer: string
  subject: string
  audience: string
}): void {
  if (!namePattern.test(made.name)) {
    throw invalid('name', 'must have 1 to 120 letters, digits, - or _')
  }
  if (made.issuer.length > maxText || !isHttpsUrl(made.issuer)) {
    throw invalid('issuer', `must be an https URL of at most ${maxText} characters`)
  }
  checkText('subject', made.subject)
  checkText('audiences', made.audience)
}

function checkText(field: string, text: string): void {
  if (text.length > maxText) throw invalid(field, `must have at most ${maxText} characters`)
  // The printable rule of display names, a part at a time because of their length.
  for (let at = 0; at === 0 || at < text.length; at += limits.displayNameLength) {
    checkedDisplayName(text.slice(at, at + limits.displayNameLength), field)
  }
}

function isHttpsUrl(text: string): boolean {
  if (!/^https:\/\/[^\s?#@]+$/.test(text)) return false
  return URL.canParse(text)
}

/** Those of one service principal, by name. */
export async function listFederatedCredentials(
  db: Kysely<Database>,
  objectId: string,
): Promise<FederatedCredential[]> {
  const rows = await db
    .selectFrom('federated_credentials')
    .selectAll()
    .where('object_id', '=', objectId)
    .orderBy('name')
    .execute()
  return rows.map(toCredential)
}

/** The one that lets this token in; undefined when there is none, or the client is unknown or disabled. */
export async function findFederatedCredential(
  db: Kysely<Database>,
  by: { appId: string; issuer: string; subject: string; audience: string },
): Promise<FederatedCredential | undefined> {
  const row = await db
    .selectFrom('federated_credentials as credential')
    .innerJoin('service_principals as principal', 'principal.object_id', 'credential.object_id')
    .selectAll('credential')
    .where('principal.app_id', '=', by.appId.toLowerCase())
    .where('principal.enabled', '=', 1)
    .where('credential.issuer', '=', by.issuer)
    .where('credential.subject', '=', by.subject)
    .where('credential.audience', '=', by.audience)
    .executeTakeFirst()
  return row === undefined ? undefined : toCredential(row)
}

/** Removes one, by id or name, and ends every sign-in of the principal. @throws SallyportError ERR_DIRECTORY_NOT_FOUND. */
export async function removeFederatedCredential(
  trx: Transaction<Database>,
  objectId: string,
  { key, now }: { key: string; now: number },
): Promise<void> {
  const result = await trx
    .deleteFrom('federated_credentials')
    .where('object_id', '=', objectId)
    .where((where) =>
      where.or([where('credential_id', '=', key.toLowerCase()), where('name', '=', key)]),
    )
    .executeTakeFirst()
  if (result.numDeletedRows === 0n) {
    throw new SallyportError('ERR_DIRECTORY_NOT_FOUND', 'there is no such federated credential')
  }
  await endSignIns(trx, objectId, { reason: 'federated credential removed', now })
}

function toCredential(row: Selectable<FederatedCredentialTable>): FederatedCredential {
  return {
    credentialId: row.credential_id,
    objectId: row.object_id,
    name: row.name,
    issuer: row.issuer,
    subject: row.subject,
    audience: row.audience,
    createdAt: row.created_at,
  }
}

function invalid(target: string, rule: string): SallyportError {
  return new SallyportError('ERR_ARM_INVALID_REQUEST', `'${target}' ${rule}`, { target })
}

function conflict(message: string): SallyportError {
  return new SallyportError('ERR_DIRECTORY_CONFLICT', message)
}
