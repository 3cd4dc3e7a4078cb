/**
 * The words of a line as options and arguments of one command.
 * @module
 */
import { Command as Parser, CommanderError, Option } from 'commander'
import { SallyportError } from '@sallyport/protocol'
import type { Command, OptionSpec } from './command.ts'
import { nearest } from './find-command.ts'
import { createFlags, propertyOf, type Flags } from './flags.ts'
import { globalOptions } from './options.ts'

/** A parsed line. */
export interface Parsed {
  flags: Flags
  /** Words after `--`. */
  rest: string[]
}

/**
 * Parses the words of a line; `path` names the command in errors.
 * @throws SallyportError ERR_USAGE naming the word that does not fit.
 */
export function parseArguments(command: Command, path: string[], argv: string[]): Parsed {
  const split = argv.indexOf('--')
  const own = split === -1 || command.rest === undefined ? argv : argv.slice(0, split)
  const rest = split === -1 || command.rest === undefined ? [] : argv.slice(split + 1)
  const parser = createParser(command, path)
  try {
    parser.parse(own, { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) throw usageError(error, command, path)
    throw error
  }
  const values: Record<string, unknown> = { ...parser.opts() }
  for (const [index, argument] of (command.arguments ?? []).entries()) {
    values[propertyOf(argument.name)] = parser.processedArgs[index]
  }
  return { flags: createFlags(values), rest }
}

function createParser(command: Command, path: string[]): Parser {
  const parser = new Parser(path.join(' '))
    .helpOption(false)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined, writeOut: () => undefined })
  for (const argument of command.arguments ?? []) {
    parser.argument(argument.required === true ? `<${argument.name}>` : `[${argument.name}]`)
  }
  for (const spec of [...command.options, ...globalOptions]) {
    parser.addOption(toOption(spec))
    for (const alias of spec.aliases ?? []) {
      // az has several names for some options; all fill the same value.
      const option = new Option(`--${alias} ${placeholder(spec)}`.trim()).hideHelp()
      parser.addOption(option)
      parser.on(`option:${alias}`, (value: unknown) => {
        parser.setOptionValue(propertyOf(spec.long), spec.value === undefined ? true : value)
      })
    }
  }
  return parser
}

function placeholder(spec: OptionSpec): string {
  if (spec.value === undefined) return ''
  return spec.variadic === true ? `<${spec.value}...>` : `<${spec.value}>`
}

function toOption(spec: OptionSpec): Option {
  const short = spec.short === undefined ? '' : `-${spec.short}, `
  return new Option(`${short}--${spec.long} ${placeholder(spec)}`.trim())
}

function usageError(error: CommanderError, command: Command, path: string[]): SallyportError {
  const message = error.message.replace(/^error: /, '').replace(/\n.*$/s, '')
  const [, word] = /unknown option '([^']+)'/.exec(message) ?? []
  const longs = [...command.options, ...globalOptions].map(({ long }) => `--${long}`)
  const near = word === undefined ? undefined : nearest(word.split('=')[0] ?? word, longs)
  const program = ['sallyport', ...path].join(' ')
  return new SallyportError('ERR_USAGE', `${program}: ${message}`, {
    cause: error,
    remedy:
      near === undefined ? `${program} --help` : `did you mean ${near}? see ${program} --help`,
  })
}
