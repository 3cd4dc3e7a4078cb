/**
 * Takes entries out of a kubeconfig that others may have changed meanwhile; touches nothing else.
 * @module
 */
import { isMap, type YAMLSeq } from 'yaml'
import {
  currentContext,
  entryLists,
  entryNames,
  pairOf,
  parseKubeconfig,
  sequence,
  type Kubeconfig,
} from './document.ts'
import { colonEnd, dashOf, endOf, isFlow, lineEnd, lineStart, startOf } from './positions.ts'
import { applyEdits, type TextEdit } from './text-edit.ts'

/** Which entries are meant. */
export type IsMeant = (entry: Record<string, unknown>, list: string) => boolean

/** Whether any entry is meant. */
export function hasEntries(config: Kubeconfig, isMeant: IsMeant): boolean {
  return entryLists.some((list) => meant(config, list, isMeant).length > 0)
}

/** Removes them; the text without. */
export function removeEntries(config: Kubeconfig, isMeant: IsMeant): string {
  const edits: TextEdit[] = []
  for (const list of entryLists) {
    const items = sequence(config, list)
    const indexes = meant(config, list, isMeant)
    if (items === undefined || indexes.length === 0) continue
    edits.push(...(isFlow(items) ? fromFlow(items, indexes) : fromBlock(config, items, indexes)))
    const pair = pairOf(config, list)
    if (indexes.length === items.items.length && !isFlow(items) && pair !== undefined) {
      edits.push({ start: colonEnd(pair), end: colonEnd(pair), text: ' []' })
    }
  }
  return applyEdits(config.text, edits).text
}

function meant(config: Kubeconfig, list: (typeof entryLists)[number], isMeant: IsMeant): number[] {
  const items = sequence(config, list)?.items ?? []
  return items.flatMap((item, index) => {
    const entry: unknown = isMap(item)
      ? item.toJS(config.document, { maxAliasCount: 100 })
      : undefined
    return isMeant((entry ?? {}) as Record<string, unknown>, list) ? [index] : []
  })
}

/** Whole lines, from the dash to the end of the entry. */
function fromBlock(config: Kubeconfig, items: YAMLSeq, indexes: number[]): TextEdit[] {
  const { text } = config
  return indexes.map((index) => {
    const item = items.items[index]
    return {
      start: lineStart(text, dashOf(items, index)),
      end: lineEnd(text, endOf(item)),
      text: '',
    }
  })
}

/** With the comma before; the first ones with the comma behind. */
function fromFlow(items: YAMLSeq, indexes: number[]): TextEdit[] {
  const gone = new Set(indexes)
  const kept = items.items.findIndex((_item, index) => !gone.has(index))
  if (kept === -1) {
    return [{ start: startOf(items.items[0]), end: endOf(items.items.at(-1)), text: '' }]
  }
  return indexes.map((index) => {
    const item = items.items[index]
    return index < kept
      ? { start: startOf(item), end: startOf(items.items[index + 1]), text: '' }
      : { start: endOf(items.items[index - 1]), end: endOf(item), text: '' }
  })
}

/** Sets current-context back: to `previous` when that context is there, else to none. */
export function restoreCurrent(
  path: string,
  text: string,
  change: { from: string; previous: string | undefined },
): string {
  const config = parseKubeconfig(path, text)
  const pair = pairOf(config, 'current-context')
  if (pair === undefined || currentContext(config) !== change.from) return text
  const isThere =
    change.previous !== undefined && entryNames(config, 'contexts').includes(change.previous)
  const value = ` ${JSON.stringify(isThere ? change.previous : '')}`
  return applyEdits(text, [{ start: colonEnd(pair), end: endOf(pair), text: value }]).text
}
