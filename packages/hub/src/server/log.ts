/**
 * The JSON log. Never in it: raw queries (tokens live there), `authorization`, `sb-hc-token`, bodies.
 * @module
 */
import type { Writable } from 'node:stream'
import { pino, type Logger } from 'pino'
import { isSallyportError } from '@sallyport/protocol'

/** Makes the log of one process. */
export function createLog(stream: Writable, level: string): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: serializeError },
    },
    stream,
  )
}

/** An error as the log shows it: code, message, stack of the first and message of the causes; no other property, since those may hold data. */
export function serializeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: typeof error }
  const fields: Record<string, unknown> = { message: error.message, stack: error.stack }
  if (isSallyportError(error)) {
    fields['code'] = error.code
    if (error.why !== undefined) fields['why'] = error.why
  } else if ('code' in error && typeof error.code === 'string') fields['code'] = error.code
  const causes: string[] = []
  for (let cause = error.cause; cause instanceof Error && causes.length < 5; cause = cause.cause) {
    causes.push(cause.message)
  }
  if (causes.length > 0) fields['causes'] = causes
  return fields
}
