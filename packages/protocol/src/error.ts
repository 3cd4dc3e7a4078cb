/**
 * The one error class that crosses edges, and its three renderings: ARM envelope, Kubernetes Status, plain fields.
 * @module
 */
import { errorRegistry, type ErrorCode, type ErrorEntry } from './error-codes.ts'

/** What may be said beside the message; never a token, header or body. */
export interface ErrorOptionsSafe {
  cause?: unknown
  /** "Why", in the other side's words when short. */
  why?: string
  /** "What to do next", as a command one can paste; the registry's remedy when absent. */
  remedy?: string
  requestId?: string
  /** Seconds after which a retry makes sense. */
  retryAfterSeconds?: number
  /** Named field or object the error is about (ARM `target`). */
  target?: string
}

/** An error with a stable code. `message` is safe to show to the caller; the private reason belongs into `cause`. */
export class SallyportError extends Error {
  override readonly name = 'SallyportError'
  readonly code: ErrorCode
  readonly why: string | undefined
  readonly remedy: string
  requestId: string | undefined
  readonly retryAfterSeconds: number | undefined
  readonly target: string | undefined

  constructor(code: ErrorCode, message: string, options: ErrorOptionsSafe = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.why = options.why
    this.remedy = options.remedy ?? errorRegistry[code].remedy
    this.requestId = options.requestId
    this.retryAfterSeconds = options.retryAfterSeconds
    this.target = options.target
  }

  /** Registry entry of this error's code. */
  get entry(): ErrorEntry {
    return errorRegistry[this.code]
  }
}

/** Whether a value is a SallyportError, also across bundles (by shape, not identity). */
export function isSallyportError(value: unknown): value is SallyportError {
  return (
    value instanceof Error &&
    value.name === 'SallyportError' &&
    'code' in value &&
    typeof value.code === 'string' &&
    Object.hasOwn(errorRegistry, value.code)
  )
}

/** ARM error envelope: `{"error":{"code","message","target"?,"details"?}}` (Azure Resource Manager common types v5). */
export interface ArmErrorBody {
  error: {
    code: string
    message: string
    target?: string
    additionalInfo?: { type: string; info: Record<string, unknown> }[]
  }
}

/** Renders an error as ARM does; our own code, why and remedy travel in `additionalInfo`. */
export function toArmError(error: SallyportError): ArmErrorBody {
  const info: Record<string, unknown> = { code: error.code, remedy: error.remedy }
  if (error.why !== undefined) info['why'] = error.why
  if (error.requestId !== undefined) info['requestId'] = error.requestId
  return {
    error: {
      code: error.entry.reason,
      message: error.message,
      ...(error.target === undefined ? {} : { target: error.target }),
      additionalInfo: [{ type: 'SallyportError', info }],
    },
  }
}

/** A failure as Kubernetes says it (apimachinery meta/v1 Status). */
export interface KubernetesStatus {
  kind: 'Status'
  apiVersion: 'v1'
  metadata: Record<string, never>
  status: 'Failure'
  message: string
  reason: string
  details: { causes: { reason: string; message: string }[] }
  code: number
}

/** Renders an error as a Kubernetes `Status`, which kubectl prints well. */
export function toKubernetesStatus(error: SallyportError): KubernetesStatus {
  const why = error.why === undefined ? '' : `: ${error.why}`
  const id = error.requestId === undefined ? '' : ` (request id ${error.requestId})`
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `sallyport: ${error.message}${why}; ${error.remedy}${id}`,
    reason: error.entry.reason,
    details: { causes: [{ reason: error.code, message: error.message }] },
    code: error.entry.status,
  }
}
