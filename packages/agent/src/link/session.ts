/**
 * One principal's use of the cluster as the agent sees it: its client of the API server, its request ids, its streams.
 * @module
 */
import { SallyportError, type ClusterTokenClaims } from '@sallyport/protocol'
import type { Bearer } from '../feed/admission.ts'
import type { UpstreamClient } from '../upstream/client.ts'
import type { StreamSession } from './stream-session.ts'

/** What is shown of a session. `since` is Unix milliseconds. */
export interface SessionInfo {
  sid: string
  oid: string
  auth: ClusterTokenClaims['auth']
  since: number
  streams: number
}

/** How requests of accepted claims are sent. */
export interface Sender {
  /** Equal for claims that are sent alike; others need another client (other groups). */
  key: string
  /**
   * What a client of now is made for; another object once requests have to be sent differently. Asked with each request.
   * @throws SallyportError when no request may be sent.
   */
  current: () => object
  open: () => UpstreamClient
}

/** A bound session; ended by its registry with its last link. */
export class Session implements StreamSession {
  readonly sessionId: string
  readonly since = Date.now()
  /** How to end each of its links, with the reason told to the client. */
  readonly links = new Set<(error: SallyportError) => void>()
  streams = 0
  /** The latest accepted token, as far as it decides whether the session may stay. */
  #bearer: Bearer
  readonly #oid: string
  readonly #auth: ClusterTokenClaims['auth']
  readonly #thumbprint: string
  readonly #onProblem: StreamSession['onProblem']
  readonly #retired = new Set<UpstreamClient>()
  #sender: Sender
  #made: object
  #client: UpstreamClient
  #requests = 0

  constructor(
    claims: ClusterTokenClaims & Bearer,
    sender: Sender,
    onProblem: StreamSession['onProblem'],
  ) {
    this.#bearer = claims
    this.sessionId = claims.sid
    this.#oid = claims.oid
    this.#auth = claims.auth
    this.#thumbprint = claims.cnf['x5t#S256']
    this.#sender = sender
    this.#made = sender.current()
    this.#client = sender.open()
    this.#onProblem = onProblem
  }

  /** The client of now. @throws SallyportError when there can be none, for example of a group list that has become too long. */
  get client(): UpstreamClient {
    const wanted = this.#sender.current()
    if (wanted !== this.#made) this.#replace(this.#sender, wanted)
    return this.#client
  }

  get bearer(): Bearer {
    return this.#bearer
  }

  /** Requests so far. */
  get requests(): number {
    return this.#requests
  }

  nextRequestId(): string {
    return `${this.sessionId}.${++this.#requests}`
  }

  onProblem(requestId: string, error: SallyportError): void {
    this.#onProblem(requestId, error)
  }

  info(): SessionInfo {
    const { sessionId, since, streams } = this
    return { sid: sessionId, oid: this.#oid, auth: this.#auth, since, streams }
  }

  /**
   * Takes a newer token of the same session; new groups mean a new client, running requests keep theirs.
   * @throws SallyportError ERR_BIND_REFUSED when it is about someone else; the session stays as it was.
   */
  renew(claims: ClusterTokenClaims & Bearer, sender: Sender): void {
    if (
      claims.sid !== this.sessionId ||
      claims.oid !== this.#oid ||
      claims.auth !== this.#auth ||
      claims.cnf['x5t#S256'] !== this.#thumbprint
    )
      throw new SallyportError('ERR_BIND_REFUSED', 'the cluster token was not accepted', {
        why: 'a renewal must keep session, principal, authentication and key',
      })
    const { oid, sid, rev, kid } = claims
    // A link that is slow to renew must not make the session look older than it is.
    if (rev >= this.#bearer.rev) this.#bearer = { oid, sid, rev, kid }
    if (sender.key !== this.#sender.key) this.#replace(sender, sender.current())
  }

  /** Running requests keep the client they have. */
  #replace(sender: Sender, made: object): void {
    const opened = sender.open()
    const before = this.#client
    this.#retired.add(before)
    void before.retire().finally(() => this.#retired.delete(before))
    this.#sender = sender
    this.#made = made
    this.#client = opened
  }

  /** Ends its links at once; their clients hear why. */
  dismiss(error: SallyportError): void {
    for (const end of this.links) end(error)
  }

  /** Ends all requests and connections of the session. */
  destroy(): void {
    this.#client.destroy()
    for (const client of this.#retired) client.destroy()
  }
}
