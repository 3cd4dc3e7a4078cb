/**
 * Columns of sessions, and the argument their commands share.
 * @module
 */
import type { SessionInfo } from '../hub/sessions.ts'
import { column, type Column } from '../output/table.ts'
import type { JsonObject } from '../output/value.ts'
import type { ArgumentSpec } from './command.ts'

export const sessionColumns: Column[] = [
  column('SESSION', 'sessionId'),
  column('PRINCIPAL', 'principalId'),
  column('CLUSTER', 'clusterId'),
  column('SINCE', 'createdAt'),
  column('ENDED', 'endedAt'),
]

export const sessionArgument: ArgumentSpec = { name: 'session', summary: 'id of the session' }

/** A session as JSON to print. */
export const sessionView = (session: SessionInfo): JsonObject => ({ ...session })
