/**
 * JSON output: two spaces, stable order, escaped beyond what JSON demands; coloured as `jsonc`.
 * @module
 */
import { escapeText } from './escape.ts'
import type { Style } from './style.ts'

/** Renders a value as JSON. */
export function renderJson(value: unknown): string {
  return `${escapeText(JSON.stringify(value ?? null, undefined, 2))}\n`
}

const token = /"(?:[^"\\]|\\.)*"(?:\s*:)?|\b(?:true|false|null)\b|-?\d[\d.eE+-]*/g

/** As `renderJson`, coloured when the style has colours. */
export function renderColouredJson(value: unknown, style: Style): string {
  return renderJson(value).replaceAll(token, (text) => {
    if (text.startsWith('"')) return style.paint(text.endsWith(':') ? 'cyan' : 'green', text)
    return style.paint(/^[tfn]/.test(text) ? 'magenta' : 'yellow', text)
  })
}
