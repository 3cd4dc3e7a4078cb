/**
 * Data actions of custom roles: which can be enforced.
 * @module
 */
import { connectedClusterType } from '@sallyport/protocol'
import { viewerDataActions } from '../authorization/built-in-data-actions.ts'

/** What of a permission cannot be enforced inside a cluster, in words; empty when all can. */
export function dataActionProblems(
  dataActions: readonly string[],
  notDataActions: readonly string[],
): string[] {
  const prefix = `${connectedClusterType}/`.toLowerCase()
  return [...dataActions, ...notDataActions]
    .filter((name) => !name.toLowerCase().startsWith(prefix))
    .map((name) => `'${name}' is not a data action of ${connectedClusterType}`)
}

/** Data actions that built-in roles name, without those that stand for several. */
export function knownDataActions(): string[] {
  return [...viewerDataActions]
}
