/**
 * The JSON log of the agent: one line an event, named `area.verb`; never a token, header or body.
 * @module
 */
import type { Writable } from 'node:stream'
import { isSallyportError } from '@sallyport/protocol'
import { destination, pino, stdTimeFunctions, type Logger } from 'pino'
import type { AgentConfig } from './config.ts'

/** Makes the log: to the file of the settings, else to `fallback`. Lines are written at once, so that none is lost at the end. */
export function createLog(
  config: Pick<AgentConfig, 'logFile' | 'logLevel'>,
  fallback: Writable,
): Logger {
  return pino(
    {
      level: config.logLevel,
      base: { program: 'agent' },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError },
    },
    config.logFile === undefined
      ? fallback
      : destination({ dest: config.logFile, append: true, mkdir: true, mode: 0o600, sync: true }),
  )
}

/** An error as the log shows it: code, message, why, and the messages of its causes; no other property, since those may hold data. */
export function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: typeof error }
  const fields: Record<string, unknown> = { message: error.message }
  if ('code' in error && typeof error.code === 'string') fields['code'] = error.code
  if (isSallyportError(error) && error.why !== undefined) fields['why'] = error.why
  if (!isSallyportError(error)) fields['stack'] = error.stack
  const causes: string[] = []
  for (let cause = error.cause; cause instanceof Error && causes.length < 5; cause = cause.cause)
    causes.push(cause.message)
  if (causes.length > 0) fields['causes'] = causes
  return fields
}
