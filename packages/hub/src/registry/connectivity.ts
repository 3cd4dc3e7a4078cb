/**
 * `connectivityStatus`: computed from leases at the moment of the question, never stored, so it cannot be stale.
 * @module
 */
import { limits, type ConnectivityStatus } from '@sallyport/protocol'
import type { EnrolmentTable, PresenceTable } from './tables.ts'

/** What is known about a cluster's agent. */
export interface ConnectivityFacts {
  enrolled: boolean
  enrolment: Pick<EnrolmentTable, 'expires_at' | 'redeemed_at'> | undefined
  presence: Pick<PresenceTable, 'last_seen' | 'listening' | 'stopped'>[]
}

/**
 * `Connected`: a process of the agent renewed its lease and listens on a relay; `Connecting`: enrolment or the relay connection
 * is under way; `Expired`: the onboarding key ran out unused; else `Offline`.
 */
export function connectivityStatus(facts: ConnectivityFacts, now: number): ConnectivityStatus {
  if (!facts.enrolled) {
    const { enrolment } = facts
    const expired = enrolment?.redeemed_at === null && enrolment.expires_at <= now
    return expired ? 'Expired' : 'Connecting'
  }
  if (facts.presence.length === 0) return 'Connecting'
  const live = facts.presence.filter(
    (row) => row.stopped === 0 && row.last_seen > now - limits.agentPresenceLeaseMs,
  )
  if (live.length === 0) return 'Offline'
  return live.some((row) => row.listening === 1) ? 'Connected' : 'Connecting'
}
