/**
 * What every command starts from: formats, styles, and ways to speak.
 * @module
 */
import { directories } from '../credentials/directories.ts'
import { escapeText } from '../output/escape.ts'
import { chooseFormat } from '../output/format.ts'
import { render, write } from '../output/printer.ts'
import { createStyle, isTerminal } from '../output/style.ts'
import type { CommandContext, Io } from './command.ts'
import type { Parsed } from './parse.ts'

/** Makes the context of one run. @throws SallyportError ERR_USAGE for an unknown output format. */
export function createContext(io: Io, parsed: Parsed, program: string): CommandContext {
  const { flags } = parsed
  const colour = flags.on('color')
  const style = createStyle(io.stdout, io.env, { colour })
  const talk = createStyle(io.stderr, io.env, { colour })
  const format = chooseFormat({
    flag: flags.text('output'),
    env: io.env,
    isTerminal: isTerminal(io.stdout),
  })
  const quiet = flags.on('only-show-errors')
  const tell = (text: string) => {
    io.stderr.write(`${escapeText(text)}\n`)
  }
  const nothing = () => undefined
  const debug = flags.on('debug')
  return {
    env: io.env,
    stdin: io.stdin,
    stdout: io.stdout,
    stderr: io.stderr,
    signal: io.signal,
    openBrowser: io.openBrowser,
    flags,
    directories: directories(io.env),
    program,
    format,
    style,
    talk,
    quiet,
    print: async (value, columns) => {
      const options = { stdout: io.stdout, format, query: flags.text('query'), style }
      await write(io.stdout, await render(value, columns, options))
    },
    say: quiet ? nothing : tell,
    detail: !quiet && (flags.on('verbose') || debug) ? tell : nothing,
    warn: quiet
      ? nothing
      : (text) => {
          io.stderr.write(`${talk.paint('yellow', 'warning:')} ${escapeText(text)}\n`)
        },
    trace: debug ? (text) => io.stderr.write(text) : undefined,
    rest: parsed.rest,
  }
}
