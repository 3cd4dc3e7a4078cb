/**
 * Removes clusters whose owner has died.
 * @module
 */
import { cleanUp } from './clean-up.ts'
import { readStates } from './cluster-state.ts'
import { messageOf } from './error.ts'
import { isAlive } from './process-identity.ts'

/** What a sweep did. */
export interface SweepResult {
  removed: string[]
  /** Clusters that could not be removed, and why. */
  failed: { id: string; reason: string }[]
}

/** Cleans up after every dead owner of this user; clusters of living owners are not touched. */
export async function sweepClusters(): Promise<SweepResult> {
  const result: SweepResult = { removed: [], failed: [] }
  for (const state of await readStates()) {
    if (isAlive(state.owner)) continue
    try {
      await cleanUp(state)
      result.removed.push(state.id)
    } catch (error) {
      result.failed.push({ id: state.id, reason: messageOf(error) })
    }
  }
  return result
}
