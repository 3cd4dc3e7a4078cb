/**
 * Text of others made safe for a terminal: what could move the cursor, hide or reorder text is shown, not sent (T-TERM-1).
 * @module
 */

// C0, DEL, C1 (ECMA-48), line and paragraph separator, bidirectional controls (Unicode TR9), zero-width marks, byte order mark.
const dangerous =
  // eslint-disable-next-line no-control-regex -- control characters are what this pattern is about
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g

const asUnicodeEscape = (character: string) =>
  `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

/** Escapes every control, bidirectional and invisible character as `\uXXXX`, line breaks included. */
export function escapeLine(text: string): string {
  return text.replace(dangerous, asUnicodeEscape)
}

/** As `escapeLine`, but keeps line breaks and tabs. */
export function escapeText(text: string): string {
  return text.replace(dangerous, (character) =>
    character === '\n' || character === '\t' ? character : asUnicodeEscape(character),
  )
}

/** Whether a text has a character that `escapeLine` would change. */
export function hasDangerousCharacter(text: string): boolean {
  return text.search(dangerous) !== -1
}
