/**
 * Outside issuers in the store. Whatever closes an issuer ends the sign-ins that came through it, in the same transaction.
 * @module
 */
import type { Kysely, Selectable, Transaction } from 'kysely'
import { jsonParser, IssuerSettingsSchema, limits, SallyportError } from '@sallyport/protocol'
import type { IssuerSettings } from '@sallyport/protocol'
import { revoke } from '../../registry/revocations.ts'
import type { Database } from '../../store/database.ts'
import { endSignIns } from '../directory/end-sign-ins.ts'
import { resolveIssuer, type OutsideIssuer } from './outside-issuer.ts'
import type { OutsideIssuerTable } from './tables.ts'

const parseSettings = jsonParser(
  IssuerSettingsSchema,
  'settings of an outside issuer',
  'ERR_STORE_CORRUPT',
)

/** More people than this are not revoked one by one. */
const singlyAtMost = 500

function toIssuer(row: Selectable<OutsideIssuerTable>): OutsideIssuer {
  return resolveIssuer(row.alias, parseSettings(row.config), {
    createdAt: row.created_at,
    modifiedAt: row.modified_at,
  })
}

/** All issuers, disabled ones too, by alias. */
export async function listIssuers(db: Kysely<Database>): Promise<OutsideIssuer[]> {
  const rows = await db.selectFrom('outside_issuers').selectAll().orderBy('alias').execute()
  return rows.map(toIssuer)
}

/** The issuer, disabled ones too. */
export async function findIssuer(
  db: Kysely<Database>,
  by: { alias: string } | { issuer: string },
): Promise<OutsideIssuer | undefined> {
  const [column, value] =
    'alias' in by ? (['alias', by.alias] as const) : (['issuer', by.issuer] as const)
  const row = await db
    .selectFrom('outside_issuers')
    .selectAll()
    .where(column, '=', value)
    .executeTakeFirst()
  return row === undefined ? undefined : toIssuer(row)
}

/**
 * Makes an issuer, or changes it.
 * @throws SallyportError ERR_ARM_CONFLICT when another alias has the same issuer, when the issuer of an alias would become another
 * one (its people would be others), or when there are too many.
 */
export async function saveIssuer(
  trx: Transaction<Database>,
  alias: string,
  { settings, now }: { settings: IssuerSettings; now: number },
): Promise<{ issuer: OutsideIssuer; created: boolean }> {
  const before = await findIssuer(trx, { alias })
  const issuer = resolveIssuer(alias, settings, {
    createdAt: before?.createdAt ?? now,
    modifiedAt: now,
  })
  if (before !== undefined && before.issuer !== issuer.issuer) {
    throw conflict('the issuer of an alias stays the same: delete it, or choose another alias')
  }
  if (before === undefined) await checkRoom(trx, issuer.issuer)
  const row: OutsideIssuerTable = {
    alias,
    issuer: issuer.issuer,
    kind: settings.kind,
    display_name: issuer.displayName,
    config: JSON.stringify(settings),
    enabled: issuer.enabled ? 1 : 0,
    created_at: issuer.createdAt,
    modified_at: now,
  }
  await trx
    .insertInto('outside_issuers')
    .values(row)
    .onConflict((on) => on.column('alias').doUpdateSet(row))
    .execute()
  if (before?.enabled === true && !issuer.enabled) {
    await endSignInsOf(trx, issuer.issuer, { reason: 'outside issuer disabled', now })
  }
  return { issuer, created: before === undefined }
}

async function checkRoom(trx: Transaction<Database>, issuer: string): Promise<void> {
  const all = await trx.selectFrom('outside_issuers').select(['alias', 'issuer']).execute()
  const same = all.find((one) => one.issuer === issuer)
  if (same !== undefined) throw conflict(`it is there already, as '${same.alias}'`)
  if (all.length >= limits.outsideIssuers) {
    throw conflict(`there are ${limits.outsideIssuers} already`)
  }
}

function conflict(why: string): SallyportError {
  return new SallyportError('ERR_ARM_CONFLICT', `the outside issuer cannot be saved: ${why}`, {
    target: 'issuer',
  })
}

/** Removes an issuer; its people stay in the directory, with their roles, and cannot sign in. Returns whether it was there. */
export async function removeIssuer(
  trx: Transaction<Database>,
  alias: string,
  now: number,
): Promise<boolean> {
  const before = await findIssuer(trx, { alias })
  if (before === undefined) return false
  await trx.deleteFrom('outside_issuers').where('alias', '=', alias).execute()
  await endSignInsOf(trx, before.issuer, { reason: 'outside issuer deleted', now })
  return true
}

async function endSignInsOf(
  trx: Transaction<Database>,
  issuer: string,
  details: { reason: string; now: number },
): Promise<void> {
  const accounts = await trx
    .selectFrom('outside_accounts')
    .select('object_id')
    .where('issuer', '=', issuer)
    .execute()
  if (accounts.length <= singlyAtMost) {
    for (const account of accounts) await endSignIns(trx, account.object_id, details)
    return
  }
  // Everybody signs in again: cheaper than a write that stops the hub while it goes through thousands of people.
  const seq = await revoke(trx, { kind: 'all' }, details)
  await trx.updateTable('users').set({ revoked_seq: seq }).execute()
  await trx.deleteFrom('oidc').execute()
}
