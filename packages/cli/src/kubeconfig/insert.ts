/**
 * Puts entries and a current context into a kubeconfig: in its own style, at the end of each list, touching nothing else.
 * @module
 */
import { isSeq, stringify } from 'yaml'
import type { Pair } from 'yaml'
import { entryLists, pairOf, type EntryList, type Kubeconfig } from './document.ts'
import { colonEnd, columnOf, endOf, isFlow, lineEnd, startOf } from './positions.ts'
import { applyEdits, type TextEdit } from './text-edit.ts'

/** One entry of each list. */
export type Entries = Record<EntryList, Record<string, unknown>>

/** What to put in. `current` sets current-context when given. */
export interface Insertion {
  entries: Entries
  current?: string
}

/** The new text, and the edits that give the old one back. */
export function insertEntries(
  config: Kubeconfig,
  insertion: Insertion,
): { text: string; reverse: TextEdit[] } {
  const { text, root } = config
  const eol = /\r\n/.test(text) ? '\r\n' : '\n'
  const add: Record<string, unknown> = {}
  const edits: TextEdit[] = []
  for (const list of entryLists) {
    const pair = pairOf(config, list)
    if (pair === undefined) add[list] = [insertion.entries[list]]
    else edits.push(...appendTo(config, pair, { entry: insertion.entries[list], eol }))
  }
  if (insertion.current !== undefined) {
    const pair = pairOf(config, 'current-context')
    if (pair === undefined) add['current-context'] = insertion.current
    else edits.push(replaceValue(pair, ` ${JSON.stringify(insertion.current)}`, insertion.current))
  }
  if (root === undefined)
    edits.push(newRoot(text, { apiVersion: 'v1', kind: 'Config', ...add }, eol))
  else if (Object.keys(add).length > 0) edits.push(addPairs(config, add, eol))
  return applyEdits(text, edits)
}

const block = (value: unknown, eol: string) =>
  stringify(value, { indentSeq: false, lineWidth: 0, aliasDuplicateObjects: false }).replaceAll(
    '\n',
    eol,
  )

/** Plain when YAML reads it as this text, else quoted. */
function replaceValue(pair: Pair, quoted: string, plain: string): TextEdit {
  const text =
    /^[A-Za-z][\w.@/-]*$/.test(plain) && stringify(plain).trim() === plain ? ` ${plain}` : quoted
  return { start: colonEnd(pair), end: endOf(pair), text }
}

function newRoot(text: string, value: unknown, eol: string): TextEdit {
  const separator = text === '' || text.endsWith('\n') ? '' : eol
  return { start: text.length, end: text.length, text: separator + block(value, eol) }
}

/** Adds top-level keys behind the last one. */
function addPairs(config: Kubeconfig, pairs: Record<string, unknown>, eol: string): TextEdit {
  const { root, text } = config
  if (isFlow(root)) {
    const inside = JSON.stringify(pairs).slice(1, -1)
    const last = root?.items.at(-1)
    const at = last === undefined ? startOf(root) + 1 : endOf(last)
    return { start: at, end: at, text: last === undefined ? inside : `, ${inside}` }
  }
  const at = lineEnd(text, endOf(root))
  const indent = ' '.repeat(columnOf(text, startOf(root)))
  return {
    start: at,
    end: at,
    text: breakBefore(text, at, eol) + indented(block(pairs, eol), indent),
  }
}

const breakBefore = (text: string, at: number, eol: string) =>
  at > 0 && text[at - 1] !== '\n' ? eol : ''

const indented = (text: string, indent: string) =>
  indent === '' ? text : text.replaceAll(/^(?=[^\r\n])/gm, indent)

/** Appends an entry to the list of a pair, whatever style the list has. */
function appendTo(
  config: Kubeconfig,
  pair: Pair,
  options: { entry: Record<string, unknown>; eol: string },
): TextEdit[] {
  const { text, root } = config
  const { entry, eol } = options
  const list = isSeq(pair.value) && pair.value.items.length > 0 ? pair.value : undefined
  if (list !== undefined && isFlow(list)) {
    const at = endOf(list.items.at(-1))
    return [{ start: at, end: at, text: `, ${JSON.stringify(entry)}` }]
  }
  if (list === undefined && isFlow(root)) {
    return [{ start: colonEnd(pair), end: endOf(pair), text: ` [${JSON.stringify(entry)}]` }]
  }
  const at = lineEnd(text, endOf(pair))
  const column = columnOf(text, startOf(list ?? root))
  const lines = breakBefore(text, at, eol) + indented(block([entry], eol), ' '.repeat(column))
  const insert = { start: at, end: at, text: lines }
  // `[]`, `null` and `~` make room for lines below the key.
  return list === undefined
    ? [{ start: colonEnd(pair), end: endOf(pair), text: '' }, insert]
    : [insert]
}
