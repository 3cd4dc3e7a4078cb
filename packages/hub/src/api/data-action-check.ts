/**
 * Data actions of custom roles: which can be enforced.
 * @module
 */
import { checkDataActions } from '@sallyport/protocol'
import { viewerDataActions } from '../authorization/built-in-data-actions.ts'

/** What of a permission cannot be enforced inside a cluster, in words; empty when all can. */
export function dataActionProblems(
  dataActions: readonly string[],
  notDataActions: readonly string[],
): string[] {
  return checkDataActions([{ dataActions: [...dataActions], notDataActions: [...notDataActions] }])
}

/** Data actions that built-in roles name, without those that stand for several. */
export function knownDataActions(): string[] {
  return [...viewerDataActions]
}
