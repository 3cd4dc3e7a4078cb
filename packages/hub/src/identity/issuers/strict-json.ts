/**
 * JSON of outside issuers, read so that it can mean one thing only: bytes that are UTF-8, an object, no member twice (X045).
 * `JSON.parse` takes the last of two members; other programs take the first.
 * @module
 */

/** A JSON object whose members are not looked at yet. */
export type JsonObject = Readonly<Record<string, unknown>>

/** Whether a value is a JSON object. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The object, or undefined when the bytes are not exactly one JSON object without repeated members. */
export function parseStrictJson(bytes: Uint8Array): JsonObject | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) && !repeatsMember(text) ? value : undefined
  } catch {
    return undefined
  }
}

// A string, or one of the characters that carry structure; between them there is nothing of interest.
const tokens = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g

/** `text` is JSON already: a string is a member's name exactly when a colon follows it. */
function repeatsMember(text: string): boolean {
  const open: Set<string>[] = []
  let last = ''
  for (const [token] of text.matchAll(tokens)) {
    if (token === '{' || token === '[') open.push(new Set())
    else if (token === '}' || token === ']') open.pop()
    else if (token === ':') {
      const name = JSON.parse(last) as string
      const names = open.at(-1)
      if (names === undefined || names.has(name)) return true
      names.add(name)
    }
    last = token
  }
  return false
}
