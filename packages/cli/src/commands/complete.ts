/**
 * `sallyport __complete WORDS…`: the last word is the one being typed.
 * @module
 */
import { escapeLine } from '../output/escape.ts'
import { write } from '../output/printer.ts'
import type { Command, CommandContext, OptionSpec, ValueSource } from './command.ts'
import { findCommand, type Commands } from './find-command.ts'
import { globalOptions } from './options.ts'

interface Candidate {
  value: string
  description?: string
}

interface Completion {
  candidates: Candidate[]
  /** File names may follow. */
  files: boolean
}

/** The command that answers completion scripts. Never fails: no candidates is an answer too. */
export const createComplete = (commands: Commands): Command => ({
  summary: 'answer a completion script',
  options: [],
  examples: [],
  run: async (context) => {
    const words = [...context.rest]
    const current = words.pop() ?? ''
    const { candidates, files } = await answer(context, commands, { words, current }).catch(
      () => nothing,
    )
    const lines = candidates
      .filter(({ value }) => value.startsWith(current))
      .map(({ value, description }) =>
        description === undefined
          ? escapeLine(value)
          : `${escapeLine(value)}\t${escapeLine(description)}`,
      )
    await write(context.stdout, [...lines, files ? ':1' : ':0', ''].join('\n'))
    return 0
  },
})

const nothing: Completion = { candidates: [], files: false }

async function answer(
  context: CommandContext,
  { catalogue, programs }: Commands,
  { words, current }: { words: string[]; current: string },
): Promise<Completion> {
  const found = findCommand(catalogue, words)
  if (found.kind === 'unknown') return nothing
  if (found.kind === 'group') {
    const previous = words.at(-1)
    const global = globalOptions.find((option) => isNamed(option, previous))
    if (global?.value !== undefined) return values(context, global.complete)
    if (current.startsWith('-')) return { candidates: globalOptions.map(asCandidate), files: false }
    const entries = Object.entries(found.entry.entries).filter(([, entry]) => entry.hidden !== true)
    const servers = found.path.length === 0 ? Object.entries(programs) : []
    return {
      candidates: [
        ...entries.map(([value, { summary }]) => ({ value, description: summary })),
        ...servers.map(([value, description]) => ({ value, description })),
      ],
      files: false,
    }
  }
  return ofCommand(context, { command: await found.entry.load(), words: found.rest, current })
}

async function ofCommand(
  context: CommandContext,
  line: { command: Command; words: string[]; current: string },
): Promise<Completion> {
  const { command, words, current } = line
  if (words.includes('--')) return { candidates: [], files: true }
  const options = [...command.options, ...globalOptions]
  const previous = words.at(-1)
  const option = options.find((one) => isNamed(one, previous))
  if (option?.value !== undefined) return values(context, option.complete)
  if (current.startsWith('-')) return { candidates: options.map(asCandidate), files: false }
  const argument = command.arguments?.[positionals(words, options)]
  return argument === undefined ? nothing : values(context, argument.complete)
}

/** How many positional words there are before the current one. */
function positionals(words: string[], options: readonly OptionSpec[]): number {
  let count = 0
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? ''
    if (!word.startsWith('-')) count += 1
    else if (options.some((option) => isNamed(option, word) && option.value !== undefined))
      index += 1
  }
  return count
}

function isNamed(option: OptionSpec, word: string | undefined): boolean {
  return word === `--${option.long}` || (option.short !== undefined && word === `-${option.short}`)
}

const asCandidate = ({ long, summary }: OptionSpec): Candidate => ({
  value: `--${long}`,
  description: summary,
})

async function values(
  context: CommandContext,
  source: ValueSource | undefined,
): Promise<Completion> {
  if (source === undefined) return nothing
  if (source === 'file') return { candidates: [], files: true }
  if (typeof source !== 'string')
    return { candidates: source.map((value) => ({ value })), files: false }
  const { names } = await import('./complete-names.ts')
  return { candidates: (await names(context, source)).map((value) => ({ value })), files: false }
}
