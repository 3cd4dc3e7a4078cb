/**
 * What a command is: data. Its options are shown in help and completion, parsed, and handed to `run`.
 * @module
 */
import type { Readable, Writable } from 'node:stream'
import type { Directories } from '../credentials/directories.ts'
import type { Column } from '../output/table.ts'
import type { OutputFormat } from '../output/format.ts'
import type { Style } from '../output/style.ts'
import type { Flags } from './flags.ts'

/** Where completion finds values of an option or argument. */
export type ValueSource = 'cluster' | 'group' | 'agent' | 'account' | 'file' | readonly string[]

/** One option. A `value` makes it take one; `variadic` several; `negatable` is written `--no-x` and on by default. */
export interface OptionSpec {
  long: string
  short?: string
  aliases?: readonly string[]
  value?: string
  variadic?: boolean
  negatable?: boolean
  summary: string
  complete?: ValueSource
}

/** One positional argument. */
export interface ArgumentSpec {
  name: string
  required?: boolean
  summary: string
  complete?: ValueSource
}

/** An example in help: what it does, and the line to type. */
export interface Example {
  what: string
  line: string
}

/** A command. */
export interface Command {
  summary: string
  /** More than the summary, one paragraph a line. */
  description?: readonly string[]
  arguments?: readonly ArgumentSpec[]
  options: readonly OptionSpec[]
  examples: readonly Example[]
  /** Name of what follows `--`, for commands that run a program. */
  rest?: string
  run: (context: CommandContext) => Promise<number>
}

/** Streams, environment and abort of one run of the CLI. */
export interface Io {
  argv: readonly string[]
  env: NodeJS.ProcessEnv
  stdin: Readable
  stdout: Writable
  stderr: Writable
  signal: AbortSignal
  /** Opens an address in the person's browser; the system's way when absent. */
  openBrowser?: ((address: string) => Promise<void>) | undefined
}

/** What a command works with. */
export interface CommandContext extends Omit<Io, 'argv'> {
  flags: Flags
  directories: Directories
  /** Path of this program, to start itself again. */
  program: string
  format: OutputFormat
  /** Style of stdout. */
  style: Style
  /** Style of stderr. */
  talk: Style
  quiet: boolean
  /** Prints the result; `columns` describe its table. */
  print: (value: unknown, columns?: Column[]) => Promise<void>
  /** A line on stderr, unless --only-show-errors. */
  say: (text: string) => void
  /** A line on stderr with --verbose or --debug. */
  detail: (text: string) => void
  /** A warning on stderr, unless --only-show-errors. */
  warn: (text: string) => void
  /** A line on stderr with --debug, undefined without. */
  trace: ((text: string) => void) | undefined
  /** Words after `--`. */
  rest: readonly string[]
}
