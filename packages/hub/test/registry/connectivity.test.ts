/**
 * connectivityStatus from its facts.
 * @module
 */
import { expect, test } from 'vitest'
import { limits } from '@sallyport/protocol'
import { connectivityStatus, type ConnectivityFacts } from '../../src/registry/connectivity.ts'

const now = 1_000_000_000
const live = { last_seen: now, listening: 1, stopped: 0 }
const open = { expires_at: now + 1, redeemed_at: null }

test.each<[string, ConnectivityFacts]>([
  ['Connecting', { enrolled: false, enrolment: open, presence: [] }],
  ['Expired', { enrolled: false, enrolment: { ...open, expires_at: now }, presence: [] }],
  ['Connecting', { enrolled: false, enrolment: undefined, presence: [] }],
  ['Connecting', { enrolled: true, enrolment: open, presence: [] }],
  ['Connected', { enrolled: true, enrolment: open, presence: [live] }],
  ['Connecting', { enrolled: true, enrolment: open, presence: [{ ...live, listening: 0 }] }],
  ['Offline', { enrolled: true, enrolment: open, presence: [{ ...live, stopped: 1 }] }],
  [
    'Offline',
    {
      enrolled: true,
      enrolment: open,
      presence: [{ ...live, last_seen: now - limits.agentPresenceLeaseMs }],
    },
  ],
  [
    'Connected',
    { enrolled: true, enrolment: open, presence: [{ ...live, stopped: 1 }, { ...live }] },
  ],
])('is %s', (wanted, facts) => {
  expect(connectivityStatus(facts, now)).toBe(wanted)
})
