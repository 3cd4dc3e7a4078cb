/**
 * Tags as az takes them: `--tags key=value key2=value2`; `--tags ""` removes all.
 * @module
 */
import { SallyportError, limits, type Tags } from '@sallyport/protocol'
import type { OptionSpec } from './command.ts'

/** `--tags`. */
export const tagsOption: OptionSpec = {
  long: 'tags',
  value: 'KEY=VALUE',
  variadic: true,
  summary: 'tags; "" removes all',
}

/** Parses tags; undefined when the option was not given. @throws SallyportError ERR_USAGE. */
export function parseTags(words: string[] | undefined): Tags | undefined {
  if (words === undefined) return undefined
  const tags: Tags = {}
  for (const word of words) {
    if (word === '') continue
    const at = word.indexOf('=')
    const key = at === -1 ? word : word.slice(0, at)
    const value = at === -1 ? '' : word.slice(at + 1)
    if (
      key === '' ||
      key.length > limits.armTagNameLength ||
      value.length > limits.armTagValueLength
    ) {
      throw new SallyportError('ERR_USAGE', `--tags '${word}' is not KEY=VALUE`, {
        remedy: `keys have 1 to ${limits.armTagNameLength} characters, values at most ${limits.armTagValueLength}`,
      })
    }
    tags[key] = value
  }
  return tags
}
