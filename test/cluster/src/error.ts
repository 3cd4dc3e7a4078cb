/**
 * The one error of this workspace: a stable code, and a message that says what, why and what to do next.
 * @module
 */

/** What went wrong, for code that decides; the text is for people. */
export type ClusterErrorCode =
  | 'ERR_CLUSTER_USAGE'
  | 'ERR_CLUSTER_PREREQUISITE'
  | 'ERR_CLUSTER_BINARIES'
  | 'ERR_CLUSTER_COMMAND'
  | 'ERR_CLUSTER_COMPONENT'
  | 'ERR_CLUSTER_TIMEOUT'
  | 'ERR_CLUSTER_ABORTED'

/** A failure to provide binaries or to start, run or remove a cluster. */
export class ClusterError extends Error {
  override readonly name = 'ClusterError'
  readonly code: ClusterErrorCode

  constructor(code: ClusterErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}

/** Turns the reason of an aborted signal into an error of ours; does nothing while it is not aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return
  throw new ClusterError('ERR_CLUSTER_ABORTED', 'the start was cancelled', signal.reason)
}

/** Message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
