/**
 * Options the `role` commands share, and JSON given on the line or in a file.
 * @module
 */
import { readFileSync } from 'node:fs'
import { SallyportError } from '@sallyport/protocol'
import { fileError } from '../credentials/file-error.ts'
import type { Scope } from '../hub/clusters.ts'
import { resolveAssignee } from '../hub/assignees.ts'
import { defaultScope } from '../hub/roles.ts'
import { isObject, type JsonObject } from '../output/value.ts'
import type { CommandContext, OptionSpec } from './command.ts'

/** `--scope` and `-g`. */
export const scopeOptions: readonly OptionSpec[] = [
  {
    long: 'scope',
    value: 'ID',
    summary: "'/', id of a subscription, group or cluster, or CLUSTER_ID/namespaces/NAME",
  },
  {
    long: 'resource-group',
    short: 'g',
    value: 'GROUP',
    summary: 'resource group, instead of --scope',
    complete: 'group',
  },
]

/** `--assignee` and `--assignee-object-id`. */
export const assigneeOptions: readonly OptionSpec[] = [
  {
    long: 'assignee',
    value: 'WHO',
    summary: 'object id, user principal name, client id or display name',
  },
  { long: 'assignee-object-id', value: 'ID', summary: 'object id, taken as it is' },
]

/** `--role`. */
export const roleOption: OptionSpec = {
  long: 'role',
  value: 'ROLE',
  summary: 'name or GUID of the role',
}

/** The scope a line means. @throws SallyportError ERR_USAGE when it names two. */
export function wantedScope({ flags }: CommandContext, hub: Scope): string {
  const scope = flags.text('scope')
  const group = flags.text('resource-group')
  if (scope === undefined) return defaultScope(hub, group)
  if (group === undefined) return scope
  throw new SallyportError('ERR_USAGE', '--scope and --resource-group exclude each other')
}

/** The object id a line names, undefined when it names nobody. @throws SallyportError ERR_USAGE. */
export async function wantedAssignee(
  { flags }: CommandContext,
  hub: Scope,
): Promise<string | undefined> {
  const objectId = flags.text('assignee-object-id')
  const named = flags.text('assignee')
  if (objectId !== undefined && named !== undefined) {
    throw new SallyportError('ERR_USAGE', '--assignee and --assignee-object-id exclude each other')
  }
  if (objectId !== undefined) return objectId
  return named === undefined ? undefined : resolveAssignee(hub, named)
}

/** A JSON object given as text, as `@FILE`, or as the path of a file. @throws SallyportError ERR_USAGE, ERR_FILE_ACCESS. */
export function jsonFlag({ flags }: CommandContext, name: string): JsonObject {
  const given = flags.required(name)
  const text = given.trimStart().startsWith('{') ? given : readText(given.replace(/^@/, ''))
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new SallyportError('ERR_USAGE', `--${name} is not JSON`, { cause })
  }
  if (isObject(value)) return value
  throw new SallyportError('ERR_USAGE', `--${name} must be a JSON object`)
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw fileError(path, 'read', error)
  }
}
