/**
 * Columns of resource groups, and the options their commands share.
 * @module
 */
import type { ResourceGroup } from '@sallyport/protocol'
import { column, type Column } from '../output/table.ts'
import { isObject, type JsonObject } from '../output/value.ts'
import type { ArgumentSpec, CommandContext, OptionSpec } from './command.ts'

/** As az prints a resource group: `properties` stay where they are. */
export const groupColumns: Column[] = [
  column('NAME', 'name'),
  column('LOCATION', 'location'),
  { header: 'STATE', text: state },
]

function state(row: JsonObject): string {
  const properties = row['properties']
  const value = isObject(properties) ? properties['provisioningState'] : undefined
  return typeof value === 'string' ? value : ''
}

/** `-n`, with `-g` as az has it too. */
export const groupNameOptions: readonly OptionSpec[] = [
  { long: 'name', short: 'n', value: 'NAME', summary: 'name of the group', complete: 'group' },
  { long: 'resource-group', short: 'g', value: 'NAME', summary: 'the same', complete: 'group' },
]

/** The name without `-n`. */
export const groupNameArgument: ArgumentSpec = {
  name: 'group',
  summary: 'name of the group, instead of -n',
  complete: 'group',
}

/** The name, however it was given. @throws SallyportError ERR_USAGE. */
export function groupName({ flags }: CommandContext): string {
  return flags.text('name') ?? flags.text('resource-group') ?? flags.required('group', '-n NAME')
}

/** A resource group as JSON to print. */
export const groupView = (group: ResourceGroup): JsonObject => ({ ...group })
