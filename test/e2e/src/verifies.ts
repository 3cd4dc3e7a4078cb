/**
 * A scenario that proves requirement ids; the runner reads them back from the meta of the test.
 * @module
 */
import { test } from 'vitest'
import type { RequirementId } from '../requirements.ts'

declare module 'vitest' {
  interface TaskMeta {
    requirements?: RequirementId[]
  }
}

/** Deadline of one scenario unless it names its own, ms. */
const scenarioTimeoutMs = 90_000

/** Declares a scenario; it proves its ids when it passes and leaves them unproved when it fails. */
export function verifies(
  ids: RequirementId | RequirementId[],
  prove: () => Promise<void>,
  timeout: number = scenarioTimeoutMs,
): void {
  const list = typeof ids === 'string' ? [ids] : ids
  test(list.join(' + '), { timeout, meta: { requirements: list } }, prove)
}
