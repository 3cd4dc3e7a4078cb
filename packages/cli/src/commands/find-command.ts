/**
 * Which command a line means.
 * @module
 */
import { globalOptions } from './options.ts'

/** A node of the command tree: a command, or a group of commands. */
export type Entry = CommandEntry | GroupEntry

/** A command, loaded when it is needed. */
export interface CommandEntry {
  summary: string
  /** Works, but is not listed: the az-like long form stands in its place. */
  hidden?: boolean
  load: () => Promise<import('./command.ts').Command>
}

/** A noun with verbs. */
export interface GroupEntry {
  summary: string
  hidden?: boolean
  entries: Readonly<Record<string, Entry>>
}

/** Whether an entry is a group. */
export const isGroup = (entry: Entry): entry is GroupEntry => 'entries' in entry

/** What a line was found to mean. `path` are the words of the command, `rest` all others in order. */
export type Found =
  | { kind: 'command'; entry: CommandEntry; path: string[]; rest: string[] }
  | { kind: 'group'; entry: GroupEntry; path: string[]; rest: string[] }
  | { kind: 'unknown'; entry: GroupEntry; path: string[]; word: string }

const takesValue = new Set(
  globalOptions
    .filter(({ value }) => value !== undefined)
    .flatMap(({ long, short }) => [`--${long}`, ...(short === undefined ? [] : [`-${short}`])]),
)

/** Walks the tree by the words of a line, passing over global options that stand before them. */
export function findCommand(root: GroupEntry, argv: readonly string[]): Found {
  const path: string[] = []
  const rest: string[] = []
  let entry: Entry = root
  let index = 0
  for (; index < argv.length && isGroup(entry); index++) {
    const word = argv[index] ?? ''
    if (word === '--') break
    if (word.startsWith('-')) {
      rest.push(word)
      const next = argv[index + 1]
      if (takesValue.has(word) && next !== undefined) {
        rest.push(next)
        index += 1
      }
      continue
    }
    const child: Entry | undefined = Object.hasOwn(entry.entries, word)
      ? entry.entries[word]
      : undefined
    if (child === undefined) return { kind: 'unknown', entry, path, word }
    path.push(word)
    entry = child
  }
  rest.push(...argv.slice(index))
  return isGroup(entry)
    ? { kind: 'group', entry, path, rest }
    : { kind: 'command', entry, path, rest }
}

/** The known word nearest to a mistyped one (Damerau–Levenshtein, transpositions of neighbours count one), undefined when none is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const [best] = known
    .map((candidate) => ({ candidate, distance: distance(word, candidate) }))
    .sort((a, b) => a.distance - b.distance)
  if (best === undefined) return undefined
  return best.distance <= Math.max(1, Math.floor(word.length / 3)) ? best.candidate : undefined
}

function distance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_cell, index) => index)]
  const at = (i: number, j: number) => rows[i]?.[j] ?? Number.POSITIVE_INFINITY
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    rows.push(row)
    for (let j = 1; j <= b.length; j++) {
      const substitution = at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1)
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const transposition = swapped ? at(i - 2, j - 2) + 1 : Number.POSITIVE_INFINITY
      row.push(Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, substitution, transposition))
    }
  }
  return at(a.length, b.length)
}

/** Every command of this program, and the programs it hands lines to, name and summary. */
export interface Commands {
  catalogue: GroupEntry
  programs: Readonly<Record<string, string>>
}
