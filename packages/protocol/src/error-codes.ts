/**
 * The closed registry of error codes: for each what a caller does with it and what a person does next.
 * `docs/errors.md` has one section for each code; a test compares the two.
 * @module
 */
import { directoryErrors } from './error-codes/directory-errors.ts'
import type { ErrorEntry } from './error-codes/entry.ts'
import { generalErrors } from './error-codes/general-errors.ts'
import { hubErrors } from './error-codes/hub-errors.ts'
import { linkErrors } from './error-codes/link-errors.ts'
import { localErrors } from './error-codes/local-errors.ts'

export type { ErrorEntry } from './error-codes/entry.ts'

/** All error codes. Exit codes: 1 failed, 2 usage, 3 not found, 4 sign-in, 5 forbidden, 6 offline, 7 timeout, 8 conflict, 9 version skew, 130 interrupted. */
export const errorRegistry = {
  ...generalErrors,
  ...hubErrors,
  ...directoryErrors,
  ...linkErrors,
  ...localErrors,
} as const satisfies Record<string, ErrorEntry>

/** One of the closed set of error codes. */
export type ErrorCode = keyof typeof errorRegistry
