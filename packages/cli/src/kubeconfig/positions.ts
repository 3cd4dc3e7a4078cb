/**
 * Where nodes of a kubeconfig begin and end in its text.
 * @module
 */
import { isCollection, isMap, isNode, isPair, isScalar, isSeq, type Pair, type YAMLSeq } from 'yaml'

type Range = readonly [number, number, number]

function rangeOf(node: unknown): Range {
  const range = isNode(node) ? node.range : undefined
  if (range === null || range === undefined) throw new TypeError('a parsed node has a range')
  return range
}

/** Whether a collection is written with brackets. */
export const isFlow = (node: unknown): boolean => isCollection(node) && node.flow === true

/** First character of a node. */
export const startOf = (node: unknown): number => rangeOf(node)[0]

/** Behind the last character of a node's own text: not the comments and line breaks that follow. */
export function endOf(node: unknown): number {
  if (isPair(node)) return hasNoValue(node) ? colonEnd(node) : endOf(node.value)
  if ((isMap(node) || isSeq(node)) && !isFlow(node)) {
    const last: unknown = node.items.at(-1)
    if (last !== undefined) return endOf(last)
  }
  return rangeOf(node)[1]
}

/** `key:` with nothing behind it; the parser puts its null somewhere before the next token. */
function hasNoValue({ value }: Pair): boolean {
  return value === null || (isScalar(value) && value.value === null && (value.source ?? '') === '')
}

/** Behind the colon of a pair. */
export function colonEnd(pair: Pair): number {
  const { srcToken } = pair as { srcToken?: { sep?: { type: string; offset: number }[] } }
  const colon = srcToken?.sep?.find(({ type }) => type === 'map-value-ind')
  return colon === undefined ? endOf(pair.key) : colon.offset + 1
}

/** The dash of an item of a list without brackets. */
export function dashOf(list: YAMLSeq, index: number): number {
  const { srcToken } = list as {
    srcToken?: { items?: { start?: { type: string; offset: number }[] }[] }
  }
  const dash = srcToken?.items?.[index]?.start?.find(({ type }) => type === 'seq-item-ind')
  return dash?.offset ?? startOf(list.items[index])
}

/** Behind the line break of the line a position is in; the end of the text when it has none. */
export function lineEnd(text: string, position: number): number {
  // The text of a block scalar ends behind its line break.
  if (position > 0 && text[position - 1] === '\n') return position
  const end = text.indexOf('\n', position)
  return end === -1 ? text.length : end + 1
}

/** First character of the line a position is in. */
export const lineStart = (text: string, position: number): number =>
  text.lastIndexOf('\n', position - 1) + 1

/** Column of a position; a byte order mark takes none. */
export function columnOf(text: string, position: number): number {
  const start = lineStart(text, position)
  return position - start - (start === 0 && text.startsWith('\ufeff') ? 1 : 0)
}
