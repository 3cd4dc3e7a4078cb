/**
 * What the commands of the directory share: options, columns, the client.
 * @module
 */
import { chosenHub, openClient } from '../hub/session.ts'
import type { Graph } from '../hub/graph.ts'
import { column, type Column } from '../output/table.ts'
import type { CommandContext, OptionSpec } from './command.ts'

/** A signed-in client of the directory. */
export function openGraph(context: CommandContext): Graph & AsyncDisposable {
  const client = openClient(context, chosenHub(context))
  return { client, signal: context.signal, [Symbol.asyncDispose]: () => client.close() }
}

/** Columns of users. */
export const userColumns: Column[] = [
  column('NAME', 'userPrincipalName'),
  column('DISPLAY_NAME', 'displayName'),
  column('OBJECT', 'id'),
  column('ENABLED', 'accountEnabled'),
]

/** Columns of groups and of mixed lists. */
export const objectColumns: Column[] = [
  column('DISPLAY_NAME', 'displayName'),
  column('OBJECT', 'id'),
]

/** Columns of service principals. */
export const applicationColumns: Column[] = [
  column('DISPLAY_NAME', 'displayName'),
  column('CLIENT', 'appId'),
  column('OBJECT', 'id'),
]

/** `--id` of a user. */
export const userIdOption: OptionSpec = {
  long: 'id',
  value: 'ID',
  summary: 'object id or user principal name',
}

/** `--id` of a service principal. */
export const applicationIdOption: OptionSpec = {
  long: 'id',
  value: 'ID',
  summary: 'object id, client id or display name',
}

/** `-g` of a group of the directory. */
export const groupOption: OptionSpec = {
  long: 'group',
  short: 'g',
  value: 'GROUP',
  summary: 'object id or display name of the group',
}

/** `--member-id`. */
export const memberOption: OptionSpec = {
  long: 'member-id',
  value: 'ID',
  summary: 'object id of the user, group or service principal',
}

/** `--display-name` of what is listed. */
export const displayNameFilter: OptionSpec = {
  long: 'display-name',
  value: 'NAME',
  summary: 'only those whose name starts so',
}

/** Path of a list, filtered by --display-name. */
export function filtered(path: string, context: CommandContext): string {
  const name = context.flags.text('display-name')
  if (name === undefined) return path
  const filter = `startswith(displayName,'${name.replaceAll("'", "''")}')`
  return `${path}?$filter=${encodeURIComponent(filter)}`
}
