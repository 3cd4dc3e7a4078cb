/**
 * How one error code appears at every edge.
 * @module
 */

/** How one code appears at every edge. `remedy` is the "what to do next" when the thrower gave none. */
export interface ErrorEntry {
  /** HTTP status at the hub API and inside a stream. */
  status: number
  /** `code` of the ARM error envelope (azure-docs: common ARM deployment errors) and reason of a Kubernetes Status. */
  reason: string
  /** Process exit code of the CLI: see `sallyport help exit-codes`. */
  exit: number
  /** Whether the same call may succeed later without a change. */
  retryable: boolean
  remedy: string
}

/** One entry; not retryable unless it says so. */
export const entry = (
  status: number,
  reason: string,
  rest: { exit: number; retryable?: boolean; remedy: string },
): ErrorEntry => ({ status, reason, retryable: false, ...rest })
