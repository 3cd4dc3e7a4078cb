/**
 * The commands of a Markdown page: its fenced blocks with the headings above them and what the page says about running them.
 * @module
 */

/** One fenced block. */
export interface CommandBlock {
  /** Language of the fence, `bash` of the line that opens it. */
  language: string
  text: string
  /** Line of the opening fence, from 1. */
  line: number
  /** Headings above it, outermost first. */
  headings: string[]
  /** Words of a `<!-- run: … -->` comment right before it, such as `as=operator`. */
  directives: Record<string, string>
}

interface OpenBlock {
  indent: string
  block: CommandBlock
  lines: string[]
}

/** Reads the blocks, in order; indented ones (in lists) lose the indentation of their fence. */
export function commandBlocks(page: string): CommandBlock[] {
  const blocks: CommandBlock[] = []
  const headings: string[] = []
  let directives: Record<string, string> = {}
  let open: OpenBlock | undefined
  for (const [index, line] of page.split('\n').entries()) {
    if (open !== undefined) {
      if (line.trim() !== '```') {
        open.lines.push(line.startsWith(open.indent) ? line.slice(open.indent.length) : line)
        continue
      }
      blocks.push({ ...open.block, text: open.lines.join('\n') })
      open = undefined
      continue
    }
    const [, indent, language = ''] = /^(\s*)```(\S+)\s*$/.exec(line) ?? []
    if (indent !== undefined) {
      const block = { language, text: '', line: index + 1, headings: [...headings], directives }
      open = { indent, lines: [], block }
      directives = {}
    } else {
      directives = readDirectives(line) ?? directives
      noteHeading(headings, line)
    }
  }
  if (open !== undefined) throw new Error(`the block of line ${open.block.line} has no end`)
  return blocks
}

function noteHeading(headings: string[], line: string): void {
  const [, marks, title = ''] = /^(#{1,6}) (.*)$/.exec(line) ?? []
  if (marks !== undefined) headings.splice(marks.length - 1, headings.length, title.trim())
}

/** `<!-- run: as=operator fails=5 says="is forbidden" -->`. */
function readDirectives(line: string): Record<string, string> | undefined {
  const [, words] = /^\s*<!-- run:(.*)-->\s*$/.exec(line) ?? []
  if (words === undefined) return undefined
  const found: Record<string, string> = {}
  for (const [, name = '', quoted, bare] of words.matchAll(/([a-z-]+)(?:=(?:"([^"]*)"|(\S+)))?/g)) {
    found[name] = quoted ?? bare ?? ''
  }
  return found
}

/** Puts values in place of `<placeholders>`. @throws Error naming one without a value. */
export function fillIn(text: string, values: Readonly<Record<string, string>>): string {
  return text.replaceAll(/<([a-z][a-z -]*)>/g, (_, name: string) => {
    const value = values[name]
    if (value === undefined) throw new Error(`nothing is known for <${name}>`)
    return value
  })
}
