/**
 * The session of a stream, as far as the HTTP side has to know it.
 * @module
 */
import type { SallyportError } from '@sallyport/protocol'
import type { UpstreamClient } from '../upstream/client.ts'

/** What a stream knows of the session it belongs to. */
export interface StreamSession {
  readonly sessionId: string
  /** The client of the session's identity, or of its absence. */
  readonly client: UpstreamClient
  /** Id of the next request: `<sid>.<n>`, sent as `Audit-ID`. */
  nextRequestId(): string
  /** Called for each refusal and upstream failure with the precise reason; must not throw. */
  onProblem(requestId: string, error: SallyportError): void
}
