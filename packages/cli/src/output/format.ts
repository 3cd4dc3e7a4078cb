/**
 * Output formats and how one is chosen.
 * @module
 */
import { SallyportError } from '@sallyport/protocol'

/** Values of `-o`. */
export const outputFormats = ['table', 'json', 'jsonc', 'yaml', 'tsv', 'none'] as const
export type OutputFormat = (typeof outputFormats)[number]

function isOutputFormat(text: string): text is OutputFormat {
  return (outputFormats as readonly string[]).includes(text)
}

/**
 * Flag, else SALLYPORT_OUTPUT, else table on a terminal and json elsewhere.
 * @throws SallyportError ERR_USAGE when flag or variable name no format.
 */
export function chooseFormat(choice: {
  flag: string | undefined
  env: NodeJS.ProcessEnv
  isTerminal: boolean
}): OutputFormat {
  const variable = choice.env['SALLYPORT_OUTPUT']
  const text = choice.flag ?? (variable === '' ? undefined : variable)
  if (text === undefined) return choice.isTerminal ? 'table' : 'json'
  if (isOutputFormat(text)) return text
  const source = choice.flag === undefined ? 'SALLYPORT_OUTPUT' : '--output'
  throw new SallyportError('ERR_USAGE', `${source} '${text}' is not an output format`, {
    remedy: `use one of ${outputFormats.join(', ')}`,
  })
}
