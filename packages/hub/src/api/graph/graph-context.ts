/**
 * What the routes of the directory share: changes that wake the feed, and who may touch an administrator.
 * @module
 */
import type { FastifyRequest } from 'fastify'
import type { Transaction } from 'kysely'
import Type from 'typebox'
import { isGuid, SallyportError } from '@sallyport/protocol'
import { findAccount } from '../../identity/directory/principals.ts'
import type { Database } from '../../store/database.ts'
import { principalOf } from '../access.ts'
import type { ApiContext } from '../context.ts'

/** The object of a path. */
export const IdParams = Type.Object({ id: Type.String() })

/** Objects whose members are all known: what is not there is refused, never ignored (X143). */
export const closed = { additionalProperties: false } as const

/** A GUID in a body. */
export const Guid = Type.String({
  pattern: '^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$',
})

/** Runs a change in one transaction and lets agents hear of what it revoked. */
export async function change<T>(
  context: ApiContext,
  f: (trx: Transaction<Database>) => Promise<T>,
): Promise<T> {
  const result = await context.store.transaction(f)
  context.changes.wake()
  return result
}

/** Id of a path as it is stored. @throws SallyportError ERR_DIRECTORY_NOT_FOUND when it is not a GUID. */
export function idOf(text: string): string {
  if (isGuid(text)) return text.toLowerCase()
  throw new SallyportError('ERR_DIRECTORY_NOT_FOUND', 'there is no object with this id')
}

/**
 * Whoever may write the directory may not become administrator by it: an administrator's name, password and credentials are
 * changed by administrators, and so is the flag.
 * @throws SallyportError ERR_FORBIDDEN.
 */
export async function checkMayChange(
  trx: Transaction<Database>,
  request: FastifyRequest,
  target: { objectId?: string; administrator?: boolean | undefined },
): Promise<void> {
  if (principalOf(request).administrator) return
  const account =
    target.objectId === undefined ? undefined : await findAccount(trx, target.objectId)
  if (target.administrator === undefined && account?.from.administrator !== true) return
  throw new SallyportError(
    'ERR_FORBIDDEN',
    'only administrators may change an administrator, or who is one',
  )
}
