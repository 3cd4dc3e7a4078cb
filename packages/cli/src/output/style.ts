/**
 * Colour and marks: on only where a person looks, never the only signal.
 * @module
 */
import { styleText } from 'node:util'
import type { Writable } from 'node:stream'

type Paint = Parameters<typeof styleText>[0]

/** How to write to one stream. */
export interface Style {
  paint: (how: Paint, text: string) => string
  /** True when lines may be redrawn. */
  isLive: boolean
  ok: string
  fail: string
  warn: string
  ellipsis: string
}

/** Whether a stream is a terminal. */
export function isTerminal(stream: unknown): boolean {
  return typeof stream === 'object' && stream !== null && 'isTTY' in stream && stream.isTTY === true
}

/** Columns of a terminal, undefined elsewhere. */
export function terminalColumns(stream: unknown): number | undefined {
  if (!isTerminal(stream)) return undefined
  const columns = (stream as { columns?: unknown }).columns
  return typeof columns === 'number' && columns > 0 ? columns : 80
}

function wantsColour(stream: Writable, env: NodeJS.ProcessEnv, flag: boolean): boolean {
  const isSet = (name: string) => env[name] !== undefined && env[name] !== ''
  if (!flag || isSet('NO_COLOR') || env['TERM'] === 'dumb') return false
  const forced = isSet('FORCE_COLOR') || isSet('CLICOLOR_FORCE')
  return (forced && env['FORCE_COLOR'] !== '0') || isTerminal(stream)
}

function isUtf8(env: NodeJS.ProcessEnv): boolean {
  const locale = env['LC_ALL'] ?? env['LC_CTYPE'] ?? env['LANG'] ?? ''
  return /utf-?8/i.test(locale)
}

/** Style for one stream; `colour` is false with --no-color. NO_COLOR, TERM=dumb, FORCE_COLOR, CLICOLOR_FORCE and the locale are honoured. */
export function createStyle(
  stream: Writable,
  env: NodeJS.ProcessEnv,
  options: { colour: boolean },
): Style {
  const colour = wantsColour(stream, env, options.colour)
  const utf8 = isUtf8(env)
  return {
    paint: (how, text) => (colour ? styleText(how, text, { validateStream: false }) : text),
    isLive: isTerminal(stream) && env['TERM'] !== 'dumb',
    ok: 'ok',
    fail: utf8 ? '✗ fail' : 'fail',
    warn: utf8 ? '! warn' : 'warn',
    ellipsis: utf8 ? '…' : '...',
  }
}
