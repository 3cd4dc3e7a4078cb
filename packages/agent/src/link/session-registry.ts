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
import type { BoundSession, LinkStream } from '@sallyport/tunnel'
import type { ClusterTokenVerifier } from './cluster-token.ts'
import type { StreamSession } from './stream-session.ts'
import { Session, type Sender, type SessionInfo } from './session.ts'

/** How to send for accepted claims: under the guarded identity or under none. Fails with a SallyportError; then there is no sender. */
export type SenderOf = (claims: ClusterTokenClaims) => Promise<Sender>

/** The peer of the link a bind came over. */
export interface BindPeer {
  certificateThumbprint: string
  current?: BoundSession
}

function refuse(why: string): SallyportError {
  return new SallyportError('ERR_BIND_REFUSED', 'the cluster token was not accepted', { why })
}

/** All sessions of one agent. */
export class SessionRegistry {
  readonly #sessions = new Map<string, Session>()
  readonly #verifier: ClusterTokenVerifier
  readonly #senderOf: SenderOf
  readonly #onStream: (session: Session, stream: LinkStream) => void
  readonly #onEvent: (what: 'started' | 'ended', session: Session) => void
  readonly #onProblem: StreamSession['onProblem']

  constructor(options: {
    verifier: ClusterTokenVerifier
    senderOf: SenderOf
    onStream: (session: Session, stream: LinkStream) => void
    onEvent: (what: 'started' | 'ended', session: Session) => void
    onProblem: StreamSession['onProblem']
  }) {
    this.#verifier = options.verifier
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
   * @throws SallyportError ERR_BIND_REFUSED, ERR_BIND_CLOCK_SKEW, ERR_GUARD_IDENTITY, ERR_AGENT_BUSY.
   */
  async bind(request: BindRequest, peer: BindPeer): Promise<BoundSession> {
    const claims = await this.#verifier.verify(request.token)
    if (claims.cnf['x5t#S256'] !== peer.certificateThumbprint)
      throw refuse('the token is bound to another client certificate')
    const sender = await this.#senderOf(claims)
    if (peer.current === undefined) return this.#join(claims, sender)
    const session = this.#sessions.get(peer.current.sessionId)
    if (session === undefined) throw refuse('the session has ended')
    session.renew(claims, sender)
    // The same object: the link ends it exactly once, however late this decision is.
    peer.current.expiresAt = claims.exp
    return peer.current
  }

  /** Ends every session at once; their links are ended by their owner. */
  close(): void {
    for (const session of this.#sessions.values()) session.destroy()
    this.#sessions.clear()
  }

  #join(claims: ClusterTokenClaims, sender: Sender): BoundSession {
    let session = this.#sessions.get(claims.sid)
    if (session === undefined) {
      if (this.#sessions.size >= limits.sessionsPerAgent)
        throw new SallyportError('ERR_AGENT_BUSY', 'the agent has no room for another session')
      session = new Session(claims, sender, this.#onProblem)
      this.#sessions.set(claims.sid, session)
      this.#onEvent('started', session)
    } else session.renew(claims, sender)
    const joined = session
    joined.links++
    return {
      sessionId: claims.sid,
      expiresAt: claims.exp,
      onStream: (stream) => {
        this.#onStream(joined, stream)
      },
      onEnd: () => {
        this.#leave(joined)
      },
    }
  }

  #leave(session: Session): void {
    session.links--
    if (session.links > 0) return
    this.#sessions.delete(session.sessionId)
    session.destroy()
    this.#onEvent('ended', session)
  }
}
