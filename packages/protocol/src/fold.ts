/**
 * How a name looks to a person or to a careless comparison: used to recognise reserved names, never sent anywhere.
 * @module
 */

/** Letters of other scripts that are drawn like one of ours and survive NFKC. Anything not listed is a wildcard in `resembles`. */
const lookAlikes: Readonly<Record<string, string>> = {
  a: 'аɑαᴀ',
  b: 'ьƅв',
  c: 'сϲᴄ',
  d: 'ԁɗ',
  e: 'еєҽεᴇ',
  g: 'ɡց',
  h: 'һհ',
  i: 'іıɩιӏ',
  j: 'јϳ',
  k: 'кκᴋ',
  l: 'ӏ',
  m: 'мᴍ',
  n: 'ոռп',
  o: 'оοօσᴏ',
  p: 'рρᴘ',
  q: 'ԛ',
  r: 'гᴦ',
  s: 'ѕꜱʂ',
  t: 'тτᴛ',
  u: 'υսцᴜ',
  v: 'ѵνᴠ',
  w: 'ԝшωᴡ',
  x: 'хχ',
  y: 'уүγʏ',
  z: 'ᴢ',
  ':': '։׃܃܄∶ː꞉˸᛬⁚ᛝ',
}

const skeleton = new Map(
  Object.entries(lookAlikes).flatMap(([letter, others]) =>
    Array.from(others, (other) => [other, letter] as const),
  ),
)

// What most names are; none of the rules for other letters can apply to them.
const ascii = /^[\x20-\x7e]*$/

/** NFKC, lower case, without marks and format characters, look-alikes replaced, spaces collapsed and trimmed (Go trims header values). */
export function fold(text: string): string {
  if (ascii.test(text)) return text.toLowerCase().replaceAll(/ +/g, ' ').trim()
  const plain = text
    .normalize('NFKC')
    .toLowerCase()
    .normalize('NFKC')
    .replaceAll(/[\p{M}\p{Cf}]/gu, '')
  let out = ''
  for (const character of plain) out += skeleton.get(character) ?? character
  return out.replaceAll(/\s+/gu, ' ').trim()
}

function isAscii(character: string | undefined): boolean {
  return character !== undefined && character <= '\u007f'
}

/**
 * Whether `word` (ASCII) stands in `folded` at `start`, where any non-ASCII character may stand for any letter as long as
 * more than half of the word is there literally: a table of look-alikes is never complete.
 */
function standsAt(folded: readonly string[], word: string, start: number): boolean {
  if (start + word.length > folded.length) return false
  let literal = 0
  for (let index = 0; index < word.length; index++) {
    const character = folded[start + index]
    if (character === word[index]) literal++
    else if (isAscii(character)) return false
  }
  return literal * 2 > word.length
}

/** Whether a folded name looks as if it began with `word`. */
export function looksLikeStart(folded: string, word: string): boolean {
  return folded.startsWith(word) || (!ascii.test(folded) && standsAt(Array.from(folded), word, 0))
}

/** Whether a folded name looks as if it contained `word`. */
export function looksLikePart(folded: string, word: string): boolean {
  if (folded.includes(word)) return true
  if (ascii.test(folded)) return false
  const characters = Array.from(folded)
  return characters.some((_, start) => standsAt(characters, word, start))
}
