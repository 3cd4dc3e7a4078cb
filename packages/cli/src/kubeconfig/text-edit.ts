/**
 * Edits of a text, and the edits that undo them.
 * @module
 */

/** Replaces `[start, end)` by `text`. */
export interface TextEdit {
  start: number
  end: number
  text: string
}

/** Applies edits that do not overlap; several at one position keep their order. */
export function applyEdits(
  text: string,
  edits: readonly TextEdit[],
): { text: string; reverse: TextEdit[] } {
  const sorted = edits
    .map((edit, order) => ({ ...edit, order }))
    .sort((a, b) => a.start - b.start || a.end - b.end || a.order - b.order)
  const reverse: TextEdit[] = []
  let result = ''
  let at = 0
  for (const edit of sorted) {
    if (edit.start < at) throw new RangeError('edits overlap')
    result += text.slice(at, edit.start)
    const start = result.length
    result += edit.text
    reverse.push({ start, end: result.length, text: text.slice(edit.start, edit.end) })
    at = edit.end
  }
  return { text: result + text.slice(at), reverse }
}
