/**
 * The audit log of the API server under test: who it thinks a request came from.
 * @module
 */
import { readFileSync } from 'node:fs'
import { cluster } from './proxied.ts'

/** One event, as far as scenarios look at it. */
export interface AuditEvent {
  auditID: string
  requestURI: string
  user: { username: string }
  impersonatedUser?: { username: string; groups?: string[]; extra?: Record<string, string[]> }
}

/** Events whose line has this text. */
export function auditEvents(marker: string): AuditEvent[] {
  return readFileSync(cluster().auditLog, 'utf8')
    .split('\n')
    .filter((line) => line.includes(marker))
    .map((line) => JSON.parse(line) as AuditEvent)
}
