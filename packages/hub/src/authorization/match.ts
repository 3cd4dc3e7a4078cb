/**
 * Names of actions against patterns as roles have them: `*` stands for any characters, `/` included, and case does not matter.
 * @module
 */

/** Whether `pattern` covers `action`. In steps of at most their product, whatever the pattern: no expression is built of it. */
export function matchesAction(pattern: string, action: string): boolean {
  const wanted = pattern.toLowerCase()
  const text = action.toLowerCase()
  let at = 0
  let star = -1
  let resume = 0
  let index = 0
  while (index < text.length) {
    if (wanted[at] === '*') {
      star = at
      resume = index
      at += 1
    } else if (wanted[at] === text[index]) {
      at += 1
      index += 1
    } else if (star === -1) {
      return false
    } else {
      at = star + 1
      resume += 1
      index = resume
    }
  }
  while (wanted[at] === '*') at += 1
  return at === wanted.length
}

/** Whether one of `patterns` covers `action`. */
export function matchesAny(patterns: readonly string[], action: string): boolean {
  return patterns.some((pattern) => matchesAction(pattern, action))
}
