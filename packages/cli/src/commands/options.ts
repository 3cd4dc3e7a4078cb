/**
 * Options that mean the same on every command that has them.
 * @module
 */
import { outputFormats } from '../output/format.ts'
import type { ArgumentSpec, OptionSpec } from './command.ts'

/** On every command. */
export const globalOptions: readonly OptionSpec[] = [
  {
    long: 'output',
    short: 'o',
    value: 'FORMAT',
    summary: `${outputFormats.join(', ')}; default: table on a terminal, else json`,
    complete: outputFormats,
  },
  { long: 'query', value: 'JMESPATH', summary: 'pick from the result before it is printed' },
  { long: 'hub', value: 'URL', summary: 'hub to use; default: the one signed in to last' },
  { long: 'subscription', value: 'ID', summary: 'subscription; default: the first of the hub' },
  { long: 'only-show-errors', summary: 'no progress, no warnings' },
  { long: 'verbose', summary: 'more about what is done' },
  { long: 'debug', summary: 'the exchange with the hub, secrets masked; stacks of errors' },
  { long: 'no-color', negatable: true, summary: 'no colours' },
  { long: 'help', short: 'h', summary: 'this text' },
]

/** `-n`. */
export const nameOption: OptionSpec = {
  long: 'name',
  short: 'n',
  value: 'NAME',
  summary: 'name of the cluster',
  complete: 'cluster',
}

/** `-g`. */
export const groupOption: OptionSpec = {
  long: 'resource-group',
  short: 'g',
  value: 'GROUP',
  summary: 'resource group; may be left away when the name is unique',
  complete: 'group',
}

/** `-y`. */
export const yesOption: OptionSpec = { long: 'yes', short: 'y', summary: 'do not ask' }

/** The name people type without `-n`. */
export const nameArgument: ArgumentSpec = {
  name: 'cluster',
  summary: 'name of the cluster, instead of -n',
  complete: 'cluster',
}
