/**
 * How an error is told: what, why, what to do next; or as JSON for programs.
 * @module
 */
import { isSallyportError, SallyportError } from '@sallyport/protocol'
import { escapeLine, escapeText } from './escape.ts'
import type { Style } from './style.ts'

/** Any thrown value as a SallyportError; what is not one of ours is an internal error with its own words. */
export function asSallyportError(error: unknown): SallyportError {
  if (isSallyportError(error)) return error
  const words = error instanceof Error ? error.message : String(error)
  return new SallyportError('ERR_INTERNAL', `the command failed: ${words}`, {
    cause: error,
    remedy: 'run it again with --debug and report what it prints',
  })
}

/** The lines on stderr. A message of several lines (a warning block) stands by itself. */
export function errorLines(error: SallyportError, style: Style): string {
  const id =
    error.requestId === undefined ? '' : `        request id ${escapeLine(error.requestId)}`
  const why = error.why === undefined ? '' : ` why:  ${escapeLine(error.why)}\n`
  return (
    `${style.paint('red', 'error:')} ${escapeText(error.message)}\n` +
    why +
    ` try:  ${escapeText(error.remedy)}${id}\n`
  )
}

/** `{"error":{…}}`, one line. */
export function errorJson(error: SallyportError): string {
  const { code, message, why, remedy: hint, requestId } = error
  const body = {
    code,
    message,
    ...(why === undefined ? {} : { why }),
    hint,
    ...(requestId === undefined ? {} : { requestId }),
  }
  return `${escapeText(JSON.stringify({ error: body }))}\n`
}

/** Stacks of an error and its causes, for --debug. */
export function errorTrace(error: unknown): string {
  const stacks: string[] = []
  for (let at: unknown = error; at instanceof Error && stacks.length < 10; at = at.cause) {
    stacks.push(at.stack ?? at.message)
  }
  return escapeText(stacks.join('\ncaused by: '))
}
