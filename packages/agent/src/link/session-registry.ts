/**
 * Who is bound to this agent: decides every bind, hands streams of a session to the HTTP server, lists sessions.
 * @module
 */
import {
  limits,
  SallyportError,
  type BindRequest,
  type ClusterTokenClaims,
} from '@sallyport/protocol'
import type { BindPeer, BoundSession, LinkStream } from '@sallyport/tunnel'
import type { Admission, Bearer } from '../feed/admission.ts'
import type { ClusterTokenVerifier } from './cluster-token.ts'
import type { StreamSession } from './stream-session.ts'
import { Session, type Sender, type SessionInfo } from './session.ts'

/** How to send for accepted claims: under the guarded identity or under none. Fails with a SallyportError; then there is no sender. */
export type SenderOf = (claims: ClusterTokenClaims) => Promise<Sender>

function refuse(why: string): SallyportError {
  return new SallyportError('ERR_BIND_REFUSED', 'the cluster token was not accepted', { why })
}

/** All sessions of one agent. */
export class SessionRegistry {
  readonly #sessions = new Map<string, Session>()
  /** Which session a link belongs to: another may come to have its id. */
  readonly #bound = new WeakMap<BoundSession, Session>()
  readonly #admission: Admission
  readonly #verifier: ClusterTokenVerifier
  readonly #senderOf: SenderOf
  readonly #onStream: (session: Session, stream: LinkStream) => void
  readonly #onEvent: (what: 'started' | 'ended', session: Session) => void
  readonly #onProblem: StreamSession['onProblem']

  constructor(options: {
    verifier: ClusterTokenVerifier
    admission: Admission
    senderOf: SenderOf
    onStream: (session: Session, stream: LinkStream) => void
    onEvent: (what: 'started' | 'ended', session: Session) => void
    onProblem: StreamSession['onProblem']
  }) {
    this.#verifier = options.verifier
    this.#admission = options.admission
    this.#senderOf = options.senderOf
    this.#onStream = options.onStream
    this.#onEvent = options.onEvent
    this.#onProblem = options.onProblem
  }

  /** Sessions with at least one link. */
  list(): SessionInfo[] {
    return Array.from(this.#sessions.values(), (session) => session.info())
  }

  get size(): number {
    return this.#sessions.size
  }

  /** Requests of the sessions there are. */
  get requests(): number {
    let sum = 0
    for (const session of this.#sessions.values()) sum += session.requests
    return sum
  }

  /**
   * Decides about a bind, in the order of docs/protocol.md section 2.1.
   * @throws SallyportError ERR_BIND_REFUSED, ERR_BIND_CLOCK_SKEW, ERR_GUARD_IDENTITY, ERR_AGENT_BUSY, ERR_AGENT_LEASE,
   * ERR_SESSION_STALE.
   */
  async bind(request: BindRequest, peer: BindPeer): Promise<BoundSession> {
    const isNew = peer.current === undefined
    // First of all: without the hub's latest word even the keys may be those of yesterday.
    if (isNew) await this.#admission.ready(0)
    const claims = await this.#verifier.verify(request.token)
    if (claims.cnf['x5t#S256'] !== peer.certificateThumbprint)
      throw refuse('the token is bound to another client certificate')
    // What was revoked before this token was issued has to have had its effect before the token has one.
    if (isNew || this.#admission.rideOutLeftMs() === 0) await this.#admission.ready(claims.rev)
    const sender = await this.#senderOf(claims)
    const bearer = { ...claims, kid: this.#verifier.keyIdOf(request.token) }
    // Asked last and without a wait from here on: a revocation that came meanwhile counts.
    const problem = this.#admission.problem(bearer, isNew ? 'enter' : 'stay')
    if (problem !== undefined) throw problem
    return peer.current === undefined
      ? this.#join(bearer, sender, peer)
      : this.#renew(peer.current, bearer, sender)
  }

  /** Looks at every session again, ends those that must not stay, and tells their clients why. @returns how many ended. */
  recheck(): number {
    let ended = 0
    for (const session of this.#sessions.values()) {
      const problem = this.#admission.problem(session.bearer, 'stay')
      if (problem === undefined) continue
      ended += 1
      this.#end(session)
      session.dismiss(problem)
    }
    return ended
  }

  /** Ends every session at once; their links are ended by their owner. */
  close(): void {
    for (const session of this.#sessions.values()) session.destroy()
    this.#sessions.clear()
  }

  #renew(current: BoundSession, bearer: ClusterTokenClaims & Bearer, sender: Sender): BoundSession {
    const session = this.#bound.get(current)
    if (session === undefined || this.#sessions.get(session.sessionId) !== session)
      throw refuse('the session has ended')
    session.renew(bearer, sender)
    // The same object: the link ends it exactly once, however late this decision is.
    current.expiresAt = bearer.exp
    return current
  }

  #join(bearer: ClusterTokenClaims & Bearer, sender: Sender, { dismiss }: BindPeer): BoundSession {
    const joined = this.#sessions.get(bearer.sid) ?? this.#begin(bearer, sender)
    joined.renew(bearer, sender)
    joined.links.add(dismiss)
    const bound: BoundSession = {
      sessionId: bearer.sid,
      expiresAt: bearer.exp,
      extendMs: () => this.#admission.rideOutLeftMs(),
      onStream: (stream) => {
        this.#onStream(joined, stream)
      },
      onEnd: () => {
        joined.links.delete(dismiss)
        if (joined.links.size === 0) this.#end(joined)
      },
    }
    this.#bound.set(bound, joined)
    return bound
  }

  #begin(bearer: ClusterTokenClaims & Bearer, sender: Sender): Session {
    if (this.#sessions.size >= limits.sessionsPerAgent)
      throw new SallyportError('ERR_AGENT_BUSY', 'the agent has no room for another session')
    const session = new Session(bearer, sender, this.#onProblem)
    this.#sessions.set(bearer.sid, session)
    this.#onEvent('started', session)
    return session
  }

  #end(session: Session): void {
    if (this.#sessions.get(session.sessionId) !== session) return
    this.#sessions.delete(session.sessionId)
    session.destroy()
    this.#onEvent('ended', session)
  }
}
