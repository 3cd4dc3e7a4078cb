/**
 * An admission that has heard everything and forbids nothing, for tests of other things.
 * @module
 */
import type { Admission } from '../../src/feed/admission.ts'

export const openAdmission: Admission = {
  ready: () => Promise.resolve(),
  problem: () => undefined,
  rideOutLeftMs: () => 0,
}
